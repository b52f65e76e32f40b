"""What became of what was known: the auditor's findings at one compaction, and what it cost to find them."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.compaction import Compaction
from conversations.models.conversation import Conversation
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import AuditState, LlmState, Outcome


class CompactionAudit(models.Model):
    """The auditor's word on one compaction. A new version of it overwrites this; people's verdicts stand elsewhere."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="audits", **WITHIN_WORKSPACE)
    compaction = models.OneToOneField(Compaction, models.DO_NOTHING, related_name="audit", db_constraint=False)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in AuditState])
    version = models.CharField(max_length=40)  # of the auditor
    audited_at = models.DateTimeField(auto_now=True)
    duration_ms = models.PositiveIntegerField(default=0)  # of our own work
    error = models.TextField(blank=True)
    input_key = models.CharField(max_length=120, blank=True)  # what it was computed from: a change makes it stale

    # retention: importance-weighted share kept, with a 90 % interval; null where the summary cannot be read
    retention = models.FloatField(null=True)
    retention_low = models.FloatField(null=True)
    retention_high = models.FloatField(null=True)
    # counts, so that lists need no join over findings
    facts = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    altered = models.PositiveIntegerField(default=0)
    forgotten = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    harmful = models.PositiveIntegerField(default=0)  # lost facts with evidence of harm afterwards
    open_losses = models.PositiveIntegerField(default=0)  # lost and still open at the boundary

    risk = models.FloatField(default=0)  # order of "worst first"; see conversations/audit/ranking.py
    harm_checkable = models.BooleanField(default=False)  # False is "not checkable", never "none found"
    seen_messages = models.PositiveIntegerField(default=0)  # of what followed, when it was last looked at

    # the language model's part; see conversations/audit/asking.py
    llm_state = models.CharField(max_length=30, choices=[(s.value, s.value) for s in LlmState], default=LlmState.OFF)
    llm_reason = models.TextField(blank=True)  # for people, where the state is not "done"
    llm_cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)  # of all calls so far
    llm_key = models.CharField(max_length=300, blank=True)  # what it was asked about, by which auditor and model
    llm_attempts = models.PositiveIntegerField(default=0)  # turns since that changed
    llm_due_at = models.DateTimeField(null=True)  # when it is asked (again)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(AuditState)), name="audit_state_known"),
            models.CheckConstraint(condition=Q(llm_state__in=list(LlmState)), name="audit_llm_state_known"),
        ]
        indexes = [
            # The compaction list of a workspace, worst first.
            models.Index(fields=["workspace", "-risk", "-id"], name="audit_worst"),
            # What an older auditor said: `manage.py audit --stale`.
            models.Index(fields=["workspace", "version"], name="audit_version"),
            # What the beat asks a model about: few rows at any time.
            models.Index(fields=["llm_due_at"], name="audit_llm_due", condition=Q(llm_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"audit of compaction {self.compaction_id}"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Vocabulary of findings."""

    def lost(self) -> Self:
        """Forgotten or altered."""
        return self.filter(outcome__in=[Outcome.FORGOTTEN, Outcome.ALTERED])


class Finding(models.Model):
    """What became of one fact at one compaction. `fact_id` is the same at every compaction the fact lives through."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="findings", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="findings", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="findings", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64)
    number = models.PositiveIntegerField()  # 1 = the first a person should look at

    # the fact
    kind = models.CharField(max_length=20)
    text = models.TextField()
    quote = models.TextField()
    author = models.CharField(max_length=20)
    state = models.CharField(max_length=20)
    spans = models.JSONField(default=list)  # [[message external id, block, start, end], …], best place first
    first = models.BigIntegerField()  # positions of the first and last mention
    last = models.BigIntegerField()
    count = models.PositiveIntegerField(default=1)
    importance = models.FloatField()

    # what became of it
    outcome = models.CharField(max_length=20, choices=[(o.value, o.value) for o in Outcome])
    detail = models.CharField(max_length=30, blank=True)
    probability = models.FloatField()
    summary_start = models.PositiveIntegerField(null=True)
    summary_end = models.PositiveIntegerField(null=True)
    detector = models.CharField(max_length=60)
    reason = models.TextField()
    rank = models.FloatField()
    parts = models.JSONField(default=dict)  # of importance and rank, for "why"
    evidence = models.JSONField(default=list)  # harm afterwards
    harmful = models.BooleanField(default=False)

    placed: list[tuple[Any, Any]]  # spans with their messages, where audit.queries.with_messages read them

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "compaction", "fact_id"], name="finding_once"),
            models.CheckConstraint(condition=Q(outcome__in=list(Outcome)), name="finding_outcome_known"),
        ]
        indexes = [
            # The facts column of a compaction, worst first.
            models.Index(fields=["workspace", "compaction", "number"], name="finding_in_order"),
            # The life-lines of a conversation.
            models.Index(fields=["workspace", "conversation", "fact_id"], name="finding_lifeline"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.text}"

    def get_absolute_url(self) -> str:
        """Its compaction's page, open at this finding."""
        return f"{reverse('compaction', args=[self.workspace.slug, self.compaction_id])}?fact={self.number}"


class Addition(models.Model):
    """A statement of a summary that has no source in what it covers."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="additions", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="additions", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=30)
    text = models.TextField()
    summary_start = models.PositiveIntegerField()
    summary_end = models.PositiveIntegerField()
    probability = models.FloatField()
    reason = models.TextField()
    evidence = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "compaction", "fact_id"], name="addition_once"),
        ]

    def __str__(self) -> str:
        return f"added: {self.text}"


class LifeLine(models.Model):
    """One fact over all compactions of its conversation; rewritten when one of them is audited."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="life_lines", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="life_lines", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    text = models.TextField()
    born = models.BigIntegerField()  # position of the first mention
    born_before = models.PositiveIntegerField()  # number of the first compaction it met
    died_at = models.PositiveIntegerField(null=True)  # number of the compaction that lost it for good
    generations_kept = models.PositiveIntegerField()
    importance = models.FloatField()
    stages = models.JSONField()  # [{"number", "outcome", "detail", "fact", "came_back", "followed", "harmful"}, …]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "conversation", "fact_id"], name="life_line_once"),
        ]
        indexes = [
            # The life-line page: what mattered and died first.
            models.Index(fields=["workspace", "conversation", "-importance", "id"], name="life_line_in_order"),
        ]

    def __str__(self) -> str:
        return self.text


class BoundaryWork(models.Model):
    """What the auditor said at one compaction whatever follows it, kept while the conversation may go on: the facts
    with their words. It goes with its compaction, and when no audit has used it for a day."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    compaction = models.OneToOneField(Compaction, models.DO_NOTHING, related_name="+", db_constraint=False)
    digest = models.BinaryField(max_length=16)  # blake2b of all that was read
    version = models.CharField(max_length=40)  # of the auditor
    body = models.BinaryField()  # conversations.audit.boundary.AtBoundary as MessagePack, zstd-compressed
    at = models.DateTimeField()  # last used

    class Meta:
        indexes = [models.Index(fields=["at"], name="boundary_work_idle")]

    def __str__(self) -> str:
        return f"work on compaction {self.compaction_id}"
