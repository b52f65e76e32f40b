"""Where older messages were replaced, and by what."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.conversation import UNCHECKED, Conversation, Message
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import CompactionKind, SummaryState, Trigger


class CompactionQuerySet(models.QuerySet["Compaction"]):
    """Vocabulary of compactions."""

    def originals(self) -> Self:
        """Each compaction once: without its copies in the transcripts of forked and resumed sessions."""
        return self.filter(copy_of=None)


class Compaction(models.Model):
    """One replacement of older messages: by a summary, by nothing, or of tool results by placeholders."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="compactions", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="compactions", **WITHIN_WORKSPACE)
    batch = models.ForeignKey("Batch", models.DO_NOTHING, null=True, related_name="+", **UNCHECKED)  # of this version
    external_id = models.CharField(max_length=512)
    number = models.PositiveIntegerField(default=0)  # 1 for the first of the conversation, by position; set by `settle`
    position = models.BigIntegerField()
    at = models.DateTimeField()  # the agent's clock, or ours where it gives none

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in CompactionKind])
    trigger = models.CharField(max_length=20, choices=[(t.value, t.value) for t in Trigger], default=Trigger.UNKNOWN)
    trigger_tokens = models.PositiveBigIntegerField(null=True)  # the threshold that was configured
    instructions = models.TextField(blank=True)
    model = models.CharField(max_length=200, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    error = models.TextField(blank=True)

    # the summary; its text is the message's, so that it is stored once
    summary_state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in SummaryState])
    summary_external_id = models.CharField(max_length=512, blank=True)  # of that message, which may come later
    summary_message = models.OneToOneField(Message, models.SET_NULL, null=True, related_name="summary_of")

    # context tokens, as the source says and as the neighbouring requests show; both, because they differ
    tokens_before_reported = models.PositiveBigIntegerField(null=True)
    tokens_after_reported = models.PositiveBigIntegerField(null=True)
    tokens_before_observed = models.PositiveBigIntegerField(null=True)  # context + output of the last request before
    tokens_after_observed = models.PositiveBigIntegerField(null=True)  # context of the first request after

    # what the summarising call cost; null = not known
    cost_input_tokens = models.PositiveBigIntegerField(null=True)
    cost_cache_read_tokens = models.PositiveBigIntegerField(null=True)
    cost_cache_write_tokens = models.PositiveBigIntegerField(null=True)
    cost_output_tokens = models.PositiveBigIntegerField(null=True)

    # what it dropped: the source's lists of external ids; which messages those are is on the messages
    dropped_ids = models.JSONField(null=True)  # null = everything before it that is not kept
    kept_ids = models.JSONField(default=list)
    cleared_ids = models.JSONField(default=list)  # tool call ids
    complete = models.BooleanField(default=True)  # False: messages it covers are not in the data
    raw = models.JSONField(null=True)  # the source's record, without long texts

    # the same compaction in the conversation where it happened, which may come later; set by `copies`
    copy_of = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="copies", **WITHIN_WORKSPACE)

    # denormalised, set by `settle`
    dropped_count = models.PositiveIntegerField(default=0)
    kept_count = models.PositiveIntegerField(default=0)

    objects = CompactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "conversation", "external_id"], name="compaction_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="compaction_in_workspace"),
            models.CheckConstraint(condition=Q(kind__in=list(CompactionKind)), name="compaction_kind_known"),
            models.CheckConstraint(condition=Q(trigger__in=list(Trigger)), name="compaction_trigger_known"),
            models.CheckConstraint(condition=Q(summary_state__in=list(SummaryState)), name="compaction_summary_known"),
        ]
        indexes = [
            # The compactions of a conversation in order.
            models.Index(fields=["workspace", "conversation", "position", "id"], name="compaction_in_order"),
            # The compaction list of a workspace, newest first.
            models.Index(fields=["workspace", "-at", "-id"], name="compaction_recent"),
            # The same boundary in the transcript of another session: a fork begins with a copy.
            models.Index(fields=["workspace", "external_id"], name="compaction_copies"),
            # The copies of a compaction, which are looked for when it is deleted.
            models.Index(fields=["workspace", "copy_of"], condition=Q(copy_of__isnull=False), name="compaction_copied"),
        ]

    def __str__(self) -> str:
        return f"compaction {self.number}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("compaction", args=[self.workspace.slug, self.pk])

    @property
    def tokens_before(self) -> int | None:
        """The observed figure where there is one."""
        return self.tokens_before_observed if self.tokens_before_observed is not None else self.tokens_before_reported

    @property
    def tokens_after(self) -> int | None:
        """The observed figure where there is one: reported ones often count only the summary."""
        return self.tokens_after_observed if self.tokens_after_observed is not None else self.tokens_after_reported
