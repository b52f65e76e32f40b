"""What is kept, for how long, and what was deleted: rules, holds, deletions, and that they have happened."""

from django.db import models
from django.db.models import Q

from conversations.models.account import User
from conversations.models.conversation import Conversation
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import DeletionKind, DeletionState


class RetentionRule(models.Model):
    """How long the conversations of one agent (in any version) are kept, in place of the workspace's own days."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="retention_rules", db_index=False)
    agent_name = models.CharField(max_length=200)
    raw_days = models.PositiveIntegerField()  # bytes as they came, for digesting again
    conversation_days = models.PositiveIntegerField(null=True, blank=True)  # since the last activity; null = for ever

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "agent_name"], name="retention_rule_once")]

    def __str__(self) -> str:
        return self.agent_name


class Hold(models.Model):
    """Nothing of this conversation, or of this agent, may be purged or deleted until it is released."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="holds", db_index=False)
    conversation = models.ForeignKey(
        Conversation, models.DO_NOTHING, null=True, blank=True, related_name="holds", **WITHIN_WORKSPACE
    )
    agent_name = models.CharField(max_length=200, blank=True)  # in any version
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(conversation=None) ^ Q(agent_name=""), name="hold_of_conversation_or_agent"
            ),
        ]
        indexes = [
            # Those in force are asked for before every purge.
            models.Index(fields=["workspace", "-id"], name="hold_recent"),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"


class Deletion(models.Model):
    """Something that somebody had deleted, or searched for to be deleted. It never says what it was."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="deletions", db_index=False)
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in DeletionKind])
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in DeletionState])
    needles = models.JSONField(default=list)  # what is searched for; emptied as soon as it has been
    searched_to = models.BigIntegerField(default=0)  # the last conversation that was looked through
    total = models.PositiveIntegerField(default=0)  # conversations to look through, then to delete
    done = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)  # left where they are, because a hold is on them
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)  # a worker is at it
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="deletion_in_workspace"),
            models.CheckConstraint(condition=Q(kind__in=list(DeletionKind)), name="deletion_kind_known"),
            models.CheckConstraint(condition=Q(state__in=list(DeletionState)), name="deletion_state_known"),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["workspace", "-id"], name="deletion_recent"),
            # What is to be gone on with: few rows at any time.
            models.Index(fields=["id"], condition=Q(state__in=["searching", "running"]), name="deletion_at_work"),
        ]

    def __str__(self) -> str:
        return f"deletion {self.pk}"

    @property
    def is_at_work(self) -> bool:
        """Whether its page should ask again soon."""
        return self.state in {DeletionState.SEARCHING, DeletionState.RUNNING}


class DeletionTarget(models.Model):
    """A conversation that a deletion is to delete; the row goes with it."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    deletion = models.ForeignKey(Deletion, models.DO_NOTHING, related_name="targets", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "deletion", "conversation"], name="deletion_target_once")
        ]
        indexes = [models.Index(fields=["workspace", "conversation"], name="deletion_target_of")]

    def __str__(self) -> str:
        return f"target of deletion {self.deletion_id}"


class DeletedConversation(models.Model):
    """That a conversation was deleted for good, by the hash of its id: what is sent of it again is not taken."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    key_hash = models.BinaryField(max_length=32)  # sha256 of source and external id
    deleted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key_hash"], name="deleted_conversation_once")]

    def __str__(self) -> str:
        return f"deleted conversation {self.pk}"
