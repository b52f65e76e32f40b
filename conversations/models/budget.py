"""Budgets: what may be spent, who may spend more for a while, and what happened to them."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from conversations.models.account import User
from conversations.models.alerting import Channel
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.tags import TAG_CHARACTERS
from conversations.vocabulary import BudgetAction, BudgetEventKind, BudgetMetric, BudgetPeriod, BudgetScope

_PERCENT = [MinValueValidator(1), MaxValueValidator(100)]


def default_warnings() -> list[int]:
    """Where nothing else is said."""
    return [80]


class Budget(models.Model):
    """How much may be spent in a period, and what happens then."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="budgets", db_index=False)
    name = models.CharField(max_length=120)

    # whose spending: each one of the scope, or the one that is named
    scope = models.CharField(max_length=20, choices=[(s.value, s.value) for s in BudgetScope])
    agent_name = models.CharField(max_length=200, blank=True)  # empty = every agent
    agent_version = models.CharField(max_length=100, blank=True)  # of scope agent_version; empty = every version
    conversation_name = models.CharField(max_length=512, blank=True)  # the source's id; empty = every conversation
    tag_name = models.CharField(max_length=TAG_CHARACTERS, blank=True)  # of scope tag, or conversations that have it

    # how much of what, and when it begins anew
    metric = models.CharField(max_length=30, choices=[(m.value, m.value.replace("_", " ")) for m in BudgetMetric])
    limit = models.DecimalField(max_digits=18, decimal_places=4)  # tokens, US dollars or a number, as the metric is
    period = models.CharField(
        max_length=20, choices=[(p.value, p.value) for p in BudgetPeriod], default=BudgetPeriod.LIFE
    )
    rolling_hours = models.PositiveIntegerField(null=True, blank=True)  # of a rolling one
    time_zone = models.CharField(max_length=60, default="UTC")  # in which days, weeks and months begin

    # what happens
    warn_percents = ArrayField(models.PositiveSmallIntegerField(validators=_PERCENT), default=default_warnings)
    action = models.CharField(max_length=20, choices=[(a.value, a.value.replace("_", " ")) for a in BudgetAction])
    message = models.TextField(blank=True)  # told at the limit; empty = a plain sentence. See `budgets.message_of`
    channels: "models.ManyToManyField[Channel, BudgetChannel]" = models.ManyToManyField(
        Channel, through="BudgetChannel", related_name="budgets"
    )
    remind_minutes = models.PositiveIntegerField(null=True, blank=True)  # told again while it lasts; null = once

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: The latest time at which it was looked at: a server's clock that is set back tells nobody anything again.
    watched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="budget_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="budget_in_workspace"),
            models.CheckConstraint(condition=Q(scope__in=list(BudgetScope)), name="budget_scope_known"),
            models.CheckConstraint(
                condition=~Q(scope=BudgetScope.TAG) | ~Q(tag_name=""), name="budget_of_tag_names_it"
            ),
            models.CheckConstraint(condition=Q(metric__in=list(BudgetMetric)), name="budget_metric_known"),
            models.CheckConstraint(condition=Q(action__in=list(BudgetAction)), name="budget_action_known"),
            models.CheckConstraint(condition=Q(period__in=list(BudgetPeriod)), name="budget_period_known"),
            models.CheckConstraint(condition=Q(limit__gt=0), name="budget_limit_positive"),
            models.CheckConstraint(
                condition=Q(period=BudgetPeriod.ROLLING, rolling_hours__gt=0)
                | (~Q(period=BudgetPeriod.ROLLING) & Q(rolling_hours=None)),
                name="budget_rolling_hours_fit",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetChannel(models.Model):
    """Where people are told when a budget warns or is used up."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    budget = models.ForeignKey(Budget, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    channel = models.ForeignKey(Channel, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "budget", "channel"], name="budget_channel_once"),
        ]

    def __str__(self) -> str:
        return f"budget {self.budget_id} tells channel {self.channel_id}"


class BudgetOverride(models.Model):
    """Another limit for a while, for a reason; of several the most exact holds, then the newest."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    budget = models.ForeignKey(Budget, models.DO_NOTHING, related_name="overrides", **WITHIN_WORKSPACE)
    agent_name = models.CharField(max_length=200, blank=True)  # empty = whoever comes under the budget
    conversation_name = models.CharField(max_length=512, blank=True)
    tag_name = models.CharField(max_length=TAG_CHARACTERS, blank=True)  # conversations that have it
    limit = models.DecimalField(max_digits=18, decimal_places=4)  # as the budget's
    expires_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)  # taken back before it expired

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(limit__gt=0), name="budget_override_limit_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="budget_override_has_reason"),
        ]
        indexes = [models.Index(fields=["workspace", "budget", "expires_at"], name="budget_override_in_force")]

    def __str__(self) -> str:
        return f"{self.limit} until {self.expires_at}: {self.reason}"


class BudgetEvent(models.Model):
    """That a budget warned or was used up, as the server saw it; or what an agent did about it, as the agent told."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    budget = models.ForeignKey(Budget, models.DO_NOTHING, null=True, related_name="events", **WITHIN_WORKSPACE)
    budget_name = models.CharField(max_length=120, blank=True)  # a run may have a budget of its own
    kind = models.CharField(max_length=20, choices=[(k.value, k.value.replace("_", " ")) for k in BudgetEventKind])
    agent_name = models.CharField(max_length=200, blank=True)
    agent_version = models.CharField(max_length=100, blank=True)
    conversation_name = models.CharField(max_length=512, blank=True)  # the source's id: it may come before the rest
    at = models.DateTimeField()  # the agent's clock
    noted_at = models.DateTimeField(auto_now_add=True)
    used = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    limit = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    percent = models.PositiveSmallIntegerField(null=True)  # of the limit, at which it warned; 100 = the limit
    window_start = models.DateTimeField(null=True)  # of the budget's period; null = whole life, or told by the agent
    message = models.TextField(blank=True)  # what the agent was given
    external_id = models.CharField(max_length=512, null=True)  # noqa: DJ001 -- null = not told by an agent; ids are unique

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(BudgetEventKind)), name="budget_event_kind_known"),
            # Told twice, it happened once.
            models.UniqueConstraint(
                fields=["workspace", "conversation_name", "external_id"],
                condition=Q(external_id__isnull=False),
                name="budget_event_told_once",
            ),
            # Seen twice or by two processes at once, it is one.
            models.UniqueConstraint(
                fields=[
                    "workspace", "budget", "conversation_name", "agent_name", "agent_version", "window_start",
                    "percent",
                ],
                condition=Q(external_id__isnull=True, budget__isnull=False),
                nulls_distinct=False,
                name="budget_event_seen_once",
            ),
        ]  # fmt: skip
        indexes = [
            # What happened in a conversation, and to a budget.
            models.Index(fields=["workspace", "conversation_name", "at"], name="budget_event_of_conversation"),
            models.Index(fields=["workspace", "budget", "-at"], name="budget_event_of_budget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.budget_name}"
