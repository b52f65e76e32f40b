"""Where people are told: channels, with their secrets encrypted and their last failure."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from conversations.models.account import User
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import ChannelKind, MemberRole


class Channel(models.Model):
    """One way of telling people, and when it may be used."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channels", db_index=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in ChannelKind])
    sealed = models.TextField(blank=True)  # address and signing key, encrypted; see `alerts.channels.secrets`
    shown_address = models.CharField(max_length=200, blank=True)  # service or host alone, which is no secret
    is_on = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=500, blank=True)  # why the server switched it off, e.g. an answer 410
    roles = ArrayField(  # in-app: members of which roles are told; empty = all
        models.CharField(max_length=20, choices=[(role.value, role.value) for role in MemberRole]),
        default=list,
        blank=True,
    )

    # when it is used
    most_an_hour = models.PositiveIntegerField(null=True, blank=True)  # messages; what is more waits and goes together
    digest_minutes = models.PositiveIntegerField(default=0)  # gather so long, then tell all at once; 0 = at once
    quiet_from = models.TimeField(null=True, blank=True)  # by the wall clock of `time_zone`; may pass midnight
    quiet_to = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    wakes_when_critical = models.BooleanField(default=True)  # critical incidents are told in quiet hours too
    tells_resolved = models.BooleanField(default=True)
    escalate_after_minutes = models.PositiveIntegerField(null=True, blank=True)  # unless acknowledged by then
    escalate_to = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, blank=True, related_name="+", **WITHIN_WORKSPACE
    )

    # how it went
    last_sent_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)  # null again after the next success
    last_failure = models.CharField(max_length=500, blank=True)

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="channel_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="channel_in_workspace"),
            models.CheckConstraint(condition=Q(kind__in=list(ChannelKind)), name="channel_kind_known"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None) | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="channel_quiet_hours_whole",
            ),
            models.CheckConstraint(
                condition=Q(escalate_after_minutes=None) | Q(escalate_after_minutes__gt=0),
                name="channel_escalation_takes_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name
