"""What members want by e-mail, with how far sending it has come; and who is looking at what."""

from django.db import models
from django.db.models import Q

from conversations.models.account import User
from conversations.models.compaction import Compaction
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import MailKind, MailPeriod


class MailDigest(models.Model):
    """One member wants one kind of digest. Its state is that of the next one; no row: they do not want it."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="mail_digests", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="mail_digests")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in MailKind])
    period = models.CharField(max_length=20, choices=[(period.value, period.value) for period in MailPeriod])
    since = models.DateTimeField()  # what was told before has been mailed, or was before they wanted it
    due_at = models.DateTimeField()  # tells of what was before then; stays the same until it is sent
    claimed_until = models.DateTimeField(null=True)  # a process is at it, or it is not tried again before then
    attempts = models.PositiveIntegerField(default=0)  # that failed, of the one that is due
    failure = models.CharField(max_length=300, blank=True)  # of the last attempt, in words; empty once it went well
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user", "kind"], name="mail_digest_once"),
            models.CheckConstraint(condition=Q(kind__in=list(MailKind)), name="mail_digest_kind_known"),
            models.CheckConstraint(condition=Q(period__in=list(MailPeriod)), name="mail_digest_period_known"),
        ]
        indexes = [models.Index(fields=["due_at"], name="mail_digest_due")]

    def __str__(self) -> str:
        return f"{self.kind} digest {self.pk}"


class Looking(models.Model):
    """What a member looked at last. One row a member, and its table is not logged: it says nothing of yesterday."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="looking_once")]
        indexes = [models.Index(fields=["workspace", "compaction"], name="looking_at")]

    def __str__(self) -> str:
        return f"{self.user_id} at compaction {self.compaction_id}"
