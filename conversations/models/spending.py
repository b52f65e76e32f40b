"""What conversations cost: sums kept beside them, and prices of models."""

from django.db import models

from conversations.models.account import User
from conversations.models.conversation import Agent, Conversation
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.tags import TAG_CHARACTERS
from conversations.vocabulary import TIER_CHARACTERS


class CountedSums(models.Model):
    """Those fields of `conversations.spending.tally.Sums` that budgets count; each is explained there."""

    calls = models.BigIntegerField(default=0)
    told_calls = models.BigIntegerField(default=0)
    unknown_calls = models.BigIntegerField(default=0)
    partial_calls = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    compactions = models.BigIntegerField(default=0)
    unpriced_compactions = models.BigIntegerField(default=0)
    summary_input_tokens = models.BigIntegerField(default=0)
    summary_read_tokens = models.BigIntegerField(default=0)
    summary_write_tokens = models.BigIntegerField(default=0)
    summary_write_1h_tokens = models.BigIntegerField(default=0)
    summary_output_tokens = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class TokenSums(CountedSums):
    """All of them."""

    uncertain_calls = models.BigIntegerField(default=0)
    freed_input_tokens = models.BigIntegerField(default=0)
    freed_read_tokens = models.BigIntegerField(default=0)
    freed_write_tokens = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class ConversationCount(models.Model):
    """How far the calls of a conversation are counted, and what is needed to go on; see `tally.Run`."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    agent = models.ForeignKey(  # in whose sums its own are
        Agent, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    frontier = models.BigIntegerField()  # position of the last call or compaction that is counted
    standing = models.BigIntegerField(null=True)
    open = models.BooleanField(default=False)
    freed = models.BigIntegerField(default=0)
    certain = models.BooleanField(default=True)
    model = models.CharField(max_length=200, blank=True)
    peak = models.BigIntegerField(null=True)
    would_peak = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "conversation"], name="conversation_count_once")]

    def __str__(self) -> str:
        return f"count of conversation {self.conversation_id}"


class ConversationDay(TokenSums):
    """What one conversation's calls of one model on one day (UTC) sent and would have sent."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="days", **WITHIN_WORKSPACE)
    model = models.CharField(max_length=200, blank=True)
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "conversation", "model", "day"], name="conversation_day_once"
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.model} on {self.day} in conversation {self.conversation_id}"


class AgentDay(TokenSums):
    """The same of all conversations of one agent: sums of ConversationDay, kept with them in one transaction."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_days", db_index=False)
    agent = models.ForeignKey(
        Agent, models.DO_NOTHING, null=True, related_name="days", db_constraint=False, db_index=False
    )
    model = models.CharField(max_length=200, blank=True)
    day = models.DateField()

    class Meta:
        constraints = [
            # Also how a workspace's or an agent's sums are found.
            models.UniqueConstraint(
                fields=["workspace", "agent", "day", "model"], name="agent_day_once", nulls_distinct=False
            )
        ]
        # The days of a budget's window, of all agents.
        indexes = [models.Index(fields=["workspace", "day"], name="agent_day_by_day")]

    def __str__(self) -> str:
        return f"{self.model} on {self.day} by agent {self.agent_id}"


class AgentTotal(TokenSums):
    """The same over all days: what budgets that are not of money are read from, before every request of an agent."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_totals", db_index=False)
    agent = models.ForeignKey(
        Agent, models.DO_NOTHING, null=True, related_name="totals", db_constraint=False, db_index=False
    )
    model = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "agent", "model"], name="agent_total_once", nulls_distinct=False
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.model} by agent {self.agent_id}"


class ConversationSlot(CountedSums):
    """What one conversation's calls of one model in one quarter of an hour sent: the days of every time zone begin at
    one. For budgets of an hour, a day, a week, a month, or the last so many hours."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="slots", **WITHIN_WORKSPACE)
    model = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "conversation", "start", "model"], name="conversation_slot_once"
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.model} from {self.start} in conversation {self.conversation_id}"


class AgentSlot(CountedSums):
    """The same of all conversations of one agent, kept with them in one transaction."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_slots", db_index=False)
    agent = models.ForeignKey(
        Agent, models.DO_NOTHING, null=True, related_name="slots", db_constraint=False, db_index=False
    )
    model = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()

    class Meta:
        constraints = [
            # By time first: a window's edges are a day at most, with few agents in it.
            models.UniqueConstraint(
                fields=["workspace", "start", "agent", "model"], name="agent_slot_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.start} by agent {self.agent_id}"


class TagDay(CountedSums):
    """What all conversations that have a tag sent of one model on one day (UTC): sums of their ConversationDay, changed
    with them, and with the tags, in one transaction."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tag_days", db_index=False)
    tag = models.CharField(max_length=TAG_CHARACTERS)
    model = models.CharField(max_length=200, blank=True)
    day = models.DateField()

    class Meta:
        constraints = [
            # Also how the tags of a workspace are found.
            models.UniqueConstraint(fields=["workspace", "tag", "day", "model"], name="tag_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.day} with tag {self.tag}"


class TagSlot(CountedSums):
    """The same by quarters of an hour."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tag_slots", db_index=False)
    tag = models.CharField(max_length=TAG_CHARACTERS)
    model = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "tag", "start", "model"], name="tag_slot_once")
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.model} from {self.start} with tag {self.tag}"


class SpendingVersion(models.Model):
    """Grows with whatever can change an answer about budgets: who keeps one compares. No row is the same as zeros.

    Counting adds to `counted`; triggers of Postgres add to `changed` (migration 0019)."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="+")
    counted = models.BigIntegerField(default=0)  # sums were added to
    changed = models.BigIntegerField(default=0)  # budgets, overrides or prices were changed

    def __str__(self) -> str:
        return f"{self.counted}.{self.changed}"


class ModelPrice(models.Model):
    """What a workspace pays for models whose name fits a pattern, from a day on; US dollars per million tokens.

    Never changed: a new price is a new row, so that what was paid before stays what it was."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="model_prices", db_index=False)
    pattern = models.CharField(max_length=200)
    since = models.DateField(null=True, blank=True)  # null = as long as there is data
    tier = models.CharField(
        max_length=TIER_CHARACTERS, blank=True
    )  # of this service tier only; empty = the standard one
    over_tokens = models.PositiveBigIntegerField(default=0)  # of prompts beyond so many; see `terms.LENGTHS`
    input_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cache_read_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cache_write_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cache_write_1h_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)  # null = the same
    output_usd = models.DecimalField(max_digits=12, decimal_places=6)
    window = models.PositiveBigIntegerField(null=True, blank=True)  # tokens the model can hold
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "pattern", "since", "tier", "over_tokens"],
                name="model_price_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.pattern} from {self.since or 'ever'}"
