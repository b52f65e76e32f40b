"""What a team wants to be told of: rules over the data, and how far each has been evaluated."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.account import User
from conversations.models.alerting import Channel
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import Aggregation, Direction, GroupBy, NoData, RunState


class Rule(models.Model):
    """As in: tell #agents when facts forgotten per compaction of coder are above 5, for 2 in a row.

    The fields of its definition are explained at `conversations.alerts.definition.Definition`."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="rules", db_index=False)
    name = models.CharField(max_length=120)
    note = models.TextField(blank=True)  # what to do about it, told with every incident
    enabled = models.BooleanField(default=True)

    # what is looked at
    metric = models.CharField(max_length=40)  # a key of `alerts.metrics.METRICS`
    aggregation = models.CharField(max_length=20, choices=[(a.value, a.value) for a in Aggregation])
    window_minutes = models.PositiveIntegerField(default=60)
    agent_name = models.CharField(max_length=200, blank=True)  # empty = any, as below
    agent_version = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=200, blank=True)
    fact_kind = models.CharField(max_length=30, blank=True)
    least_importance = models.FloatField(default=0)  # of a fact, 0 to 1
    ledger_entry = models.CharField(max_length=120, blank=True)  # by its name, where the metric looks at the ledger
    group_by = models.CharField(max_length=20, choices=[(g.value, g.value) for g in GroupBy], blank=True)

    # when it fires
    direction = models.CharField(
        max_length=20, choices=[(d.value, d.value) for d in Direction], default=Direction.ABOVE
    )
    warning = models.FloatField(null=True, blank=True)
    critical = models.FloatField(null=True, blank=True)
    clear = models.FloatField(null=True, blank=True)
    in_a_row = models.PositiveSmallIntegerField(default=1)
    clear_in_a_row = models.PositiveSmallIntegerField(default=1)
    minimum_sample = models.PositiveIntegerField(default=1)
    no_data = models.CharField(max_length=20, choices=[(n.value, n.value) for n in NoData], default=NoData.IGNORE)
    quiet_minutes = models.PositiveIntegerField(default=1440)
    settle_minutes = models.PositiveIntegerField(default=2)

    # who is told
    channels = models.ManyToManyField(Channel, through="RuleChannel", related_name="rules", blank=True)
    remind_minutes = models.PositiveIntegerField(null=True, blank=True)  # told again while it lasts; null = once
    tells_resolved = models.BooleanField(default=True)  # also when it is over, by channels that tell that

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="rule_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="rule_in_workspace"),
            models.CheckConstraint(condition=Q(aggregation__in=list(Aggregation)), name="rule_aggregation_known"),
            models.CheckConstraint(condition=Q(direction__in=list(Direction)), name="rule_direction_known"),
            models.CheckConstraint(condition=Q(no_data__in=list(NoData)), name="rule_no_data_known"),
            models.CheckConstraint(condition=Q(group_by__in=["", *GroupBy]), name="rule_group_known"),
            models.CheckConstraint(
                condition=Q(warning__isnull=False) | Q(critical__isnull=False), name="rule_has_a_threshold"
            ),
            models.CheckConstraint(condition=Q(in_a_row__range=(1, 100)), name="rule_in_a_row_in_range"),
            models.CheckConstraint(condition=Q(clear_in_a_row__range=(1, 100)), name="rule_clear_in_a_row_in_range"),
            models.CheckConstraint(condition=Q(window_minutes__range=(5, 20_160)), name="rule_window_in_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("rule", args=[self.workspace.slug, self.pk])


class RuleChannel(models.Model):
    """A rule tells by a channel."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    rule = models.ForeignKey(Rule, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    channel = models.ForeignKey(Channel, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "rule", "channel"], name="rule_channel_once"),
        ]
        indexes = [
            # The rules of a channel, which are looked for when it is deleted.
            models.Index(fields=["workspace", "channel"], name="rule_channel_of_channel"),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id} tells channel {self.channel_id}"


class RuleProgress(models.Model):
    """How far a rule has been evaluated: not in its own row, so that evaluating and editing do not wait."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    rule = models.OneToOneField(Rule, models.DO_NOTHING, related_name="progress", db_constraint=False)
    definition = models.CharField(max_length=64, blank=True)  # of which `states` is: a changed rule starts anew
    anchor = models.DateTimeField(null=True)  # by the data's clock; what came before it is decided
    states = models.JSONField(default=dict)  # how each group stood at `anchor`
    told = models.JSONField(default=dict)  # {group: [[since, until or null], …]}: intervals that incidents know of
    evaluated_until = models.DateTimeField(null=True)  # by the data's clock
    evaluated_at = models.DateTimeField(null=True)  # by ours
    problem = models.CharField(max_length=500, blank=True)  # why the last evaluation failed

    class Meta:
        indexes = [
            # What is to be evaluated, the longest waiting first.
            models.Index(fields=["workspace", "evaluated_at"], name="rule_progress_due"),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id} until {self.evaluated_until}"


class RuleRun(models.Model):
    """What a rule's evaluations came to, one row for those that follow each other within an hour and came to the same:
    every half minute is 2,880 a day. Kept for `alerts.history.KEPT`."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    rule = models.ForeignKey(Rule, models.DO_NOTHING, related_name="runs", **WITHIN_WORKSPACE)
    since = models.DateTimeField()  # by our clock: the first of them
    until = models.DateTimeField()  # the last
    evaluations = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in RunState])
    matched = models.PositiveIntegerField()  # events that were new and that the rule looks at, all together
    groups = models.PositiveIntegerField()  # that fired or were silent, at most at once
    # the figure nearest to firing, or furthest beyond, among those that were new; null = none was
    value = models.FloatField(null=True)
    worst = models.CharField(max_length=300, blank=True)  # the group that it is of; empty = the whole
    places = models.JSONField(default=list)  # [[row, when], …]: events that it was made of, those that weigh most
    told = models.PositiveIntegerField()  # signals given to incidents, all together
    gap = models.DurationField(null=True)  # the longest since the evaluation before; null = there was none
    slowest = models.DurationField()  # of one evaluation, without reading what all rules read together
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "rule", "since"], name="rule_run_once"),
            models.CheckConstraint(condition=Q(state__in=list(RunState)), name="rule_run_state_known"),
        ]
        indexes = [
            # What was kept long enough.
            models.Index(fields=["until"], name="rule_run_until"),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id} at {self.since}: {self.state}"

    @property
    def slowest_ms(self) -> float:
        """In milliseconds, to the microsecond."""
        return self.slowest.total_seconds() * 1000
