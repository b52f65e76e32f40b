"""What is taken out of texts before anybody reads them: the detectors of a workspace, its own patterns, and runs."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from conversations.models.account import User
from conversations.models.conversation import Conversation
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import RedactionState


class RedactionSettings(models.Model):
    """Of one workspace, made when redaction is first turned on; whether it is stands on the workspace itself, so that
    where it is off nothing is asked for."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="redaction_settings")
    detectors = ArrayField(models.CharField(max_length=40), default=list)  # names of conversations/redaction/detectors
    sealed_key = models.TextField()  # 32 random bytes, by which equal secrets look equal; see people/sealing.py
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"redaction of {self.workspace_id}"


class RedactionPattern(models.Model):
    """An expression of the team's own."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="redaction_patterns", db_index=False)
    name = models.CharField(max_length=40)  # stands in the placeholder
    expression = models.TextField()  # as RE2 reads it
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="redaction_pattern_once")]

    def __str__(self) -> str:
        return self.name


class HiddenSecret(models.Model):
    """What a placeholder of redaction at display stands for, encrypted. It goes with its conversation: one that stands
    in several has a row in each."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(  # null: of a budget's message, a file's name, a rule of the ledger
        Conversation, models.DO_NOTHING, null=True, related_name="+", **WITHIN_WORKSPACE
    )
    placeholder = models.CharField(max_length=60)  # "[email #a1b2c3d4e5f6]"
    sealed = models.TextField()  # see people/sealing.py
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(  # by the placeholder first: it is what is asked for
                fields=["workspace", "placeholder", "conversation"], name="hidden_secret_once", nulls_distinct=False
            ),
        ]
        indexes = [
            # Those of a conversation, which go with it.
            models.Index(fields=["workspace", "conversation"], name="hidden_secret_of"),
        ]

    def __str__(self) -> str:
        return self.placeholder


class RedactionRun(models.Model):
    """That what was stored before is being redacted as well: how far it is, table by table, row by row."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="redaction_runs", db_index=False)
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in RedactionState], default=RedactionState.RUNNING
    )
    table = models.PositiveSmallIntegerField(default=0)  # which of conversations/ops/redacting.py
    after = models.BigIntegerField(default=0)  # the last row of it that was looked at
    total = models.PositiveBigIntegerField(default=0)  # rows to look at, when it began
    done = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)  # rows in which something was found
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)  # a worker is at it
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(RedactionState)), name="redaction_run_state_known"),
            # Two at once would do the same work twice.
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(state=RedactionState.RUNNING), name="redaction_run_one_at_work"
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["workspace", "-id"], name="redaction_run_recent"),
        ]

    def __str__(self) -> str:
        return f"redaction run {self.pk}"

    @property
    def is_at_work(self) -> bool:
        """Whether its page should ask again soon."""
        return self.state == RedactionState.RUNNING
