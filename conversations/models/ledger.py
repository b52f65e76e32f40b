"""Rules and facts of a team that every compaction must leave standing, and what became of each at each compaction."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.account import User
from conversations.models.compaction import Compaction
from conversations.models.conversation import Conversation
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import LedgerOutcome


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    """Vocabulary of entries."""

    def active(self) -> Self:
        """Not retired."""
        return self.filter(retired_at=None)

    def concerning(self, agent_name: str, agent_version: str) -> Self:
        """Those that hold for an agent: everybody's, its own, and those of its version."""
        return self.filter(agent_name__in=["", agent_name], agent_version__in=["", agent_version])


class LedgerEntry(models.Model):
    """One rule or fact that must survive, for all agents of the workspace, or for one in all versions or in one."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="ledger", db_index=False)
    name = models.CharField(max_length=120)  # what alert rules and people call it
    text = models.TextField()  # as it is to be known
    kind = models.CharField(max_length=20)  # of facts; see audit.model.FactKind
    anchors = models.JSONField(default=list)  # words of `text` without which it is not kept, as written there
    agent_name = models.CharField(max_length=200, blank=True)  # empty = of every agent
    agent_version = models.CharField(max_length=100, blank=True)  # empty = in every version

    # where it comes from; both empty: written by hand
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, null=True, related_name="+", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64, blank=True)  # of the finding there

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # null: by a key, or they left
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    retired_at = models.DateTimeField(null=True)  # null = in force
    retired_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    # the compactions that were there when it was made or changed are checked in the background, newest first
    revision = models.PositiveIntegerField(default=1)  # of what is checked: name and retirement do not count
    past_total = models.PositiveIntegerField(default=0)  # compactions to look at
    past_done = models.PositiveIntegerField(default=0)
    past_below = models.BigIntegerField(null=True)  # conversations from this id on are done
    past_finished_at = models.DateTimeField(null=True)  # null = at work
    claimed_until = models.DateTimeField(null=True)  # a worker is at it

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="ledger_entry_in_workspace"),
            models.UniqueConstraint(fields=["workspace", "name"], name="ledger_entry_name_once"),
            models.CheckConstraint(condition=Q(agent_version="") | ~Q(agent_name=""), name="ledger_entry_of_an_agent"),
        ]
        indexes = [
            # What is to be gone on with: few rows at any time.
            models.Index(fields=["id"], condition=Q(past_finished_at=None), name="ledger_entry_at_work"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("ledger_entry", args=[self.workspace.slug, self.pk])

    @property
    def is_active(self) -> bool:
        """Whether compactions are checked against it."""
        return self.retired_at is None

    @property
    def scope(self) -> str:
        """Whom it holds for, in words."""
        if not self.agent_name:
            return "every agent"
        return f"{self.agent_name} {self.agent_version}" if self.agent_version else self.agent_name


class LedgerCheck(models.Model):
    """What became of an entry at one compaction. Made anew with every audit; copies of a compaction have none."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    entry = models.ForeignKey(LedgerEntry, models.DO_NOTHING, related_name="checks", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="ledger_checks", **WITHIN_WORKSPACE)
    at = models.DateTimeField()  # of the compaction
    outcome = models.CharField(max_length=20, choices=[(o.value, o.value) for o in LedgerOutcome])
    detail = models.CharField(max_length=30, blank=True)
    passage = models.TextField(blank=True)  # the words of the context after that come nearest; empty = none do
    reason = models.TextField()
    probability = models.FloatField()  # that the context after lets the agent know it
    detector = models.CharField(max_length=60)
    version = models.CharField(max_length=40)  # of the auditor
    revision = models.PositiveIntegerField()  # of the entry
    checked_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "entry", "compaction"], name="ledger_check_once"),
            models.CheckConstraint(condition=Q(outcome__in=list(LedgerOutcome)), name="ledger_outcome_known"),
        ]
        indexes = [
            # The checks of a compaction: its page, the alert rules.
            models.Index(fields=["workspace", "compaction"], name="ledger_check_of_compaction"),
            # Counts of an entry, and its last loss.
            models.Index(fields=["workspace", "entry", "outcome", "-at", "-id"], name="ledger_check_by_outcome"),
            # The conversations on an entry's page.
            models.Index(fields=["workspace", "entry", "conversation"], name="ledger_check_life_line"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome}: entry {self.entry_id}"
