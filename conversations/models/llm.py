"""What a language model was asked, what that cost, and what it answered: never the words it was asked about."""

from django.db import models

from conversations.models.compaction import Compaction
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace


class LlmCall(models.Model):
    """One call, however it ended."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="llm_calls", db_index=False)
    # Kept when the compaction goes: the day's budget is counted from these rows.
    compaction = models.ForeignKey(
        Compaction, models.DO_NOTHING, null=True, related_name="llm_calls", **WITHIN_WORKSPACE
    )
    purpose = models.CharField(max_length=20)  # extract, judge
    model = models.CharField(max_length=120)
    outcome = models.CharField(max_length=20)  # conversations.audit.llm_client.CallOutcome
    error = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=1)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6)
    duration_ms = models.PositiveIntegerField()
    request_id = models.CharField(max_length=120, blank=True)  # the provider's, for asking them
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # What a workspace has spent today.
            models.Index(fields=["workspace", "at"], include=["cost_usd"], name="llm_call_day"),
            models.Index(fields=["workspace", "compaction"], name="llm_call_compaction"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.outcome}"


class LlmAnswer(models.Model):
    """A usable answer by the hash of its question, so that the same is never paid for twice."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="llm_answers", db_index=False)
    key = models.CharField(max_length=64)
    answer = models.TextField()
    # On which it was asked first, and goes with it; null: from before this was noted.
    compaction = models.ForeignKey(
        Compaction, models.DO_NOTHING, null=True, related_name="llm_answers", **WITHIN_WORKSPACE
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="llm_answer_once"),
        ]
        indexes = [models.Index(fields=["workspace", "compaction"], name="llm_answer_of_compaction")]

    def __str__(self) -> str:
        return self.key


class LlmReading(models.Model):
    """What is believed of the answers on one compaction; every audit of the same input takes it in."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="llm_readings", **WITHIN_WORKSPACE)
    compaction = models.OneToOneField(Compaction, models.DO_NOTHING, related_name="llm_reading", db_constraint=False)
    input_key = models.CharField(max_length=120)  # of the audit that it was read for
    reading = models.JSONField()  # conversations.audit.judge.Reading
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"reading of compaction {self.compaction_id}"
