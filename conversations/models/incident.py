"""What people were told of: incidents, what happened to each, what is to be sent to whom, and silences."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from conversations.models.account import User
from conversations.models.alerting import Channel
from conversations.models.budget import Budget
from conversations.models.rule import Rule
from conversations.models.workspace import WITHIN_WORKSPACE, ApiKey, Workspace
from conversations.vocabulary import DeliveryKind, DeliveryState, IncidentEventKind, IncidentState, Severity

if TYPE_CHECKING:
    from conversations.models import Budget, Rule


class Incident(models.Model):
    """A group of a rule, or of a budget, was not well from one time to another. At most one is open of each."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="incidents", db_index=False)
    rule = models.ForeignKey("Rule", models.DO_NOTHING, null=True, related_name="incidents", **WITHIN_WORKSPACE)
    budget = models.ForeignKey("Budget", models.DO_NOTHING, null=True, related_name="incidents", **WITHIN_WORKSPACE)
    group = models.CharField(max_length=300, blank=True)  # empty = the rule's or budget's whole
    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in IncidentState])
    severity = models.CharField(max_length=20, choices=[(s.value, s.value) for s in Severity])  # the worst so far
    summary = models.CharField(max_length=500)  # one sentence
    value = models.FloatField(null=True)  # the last one told
    threshold = models.FloatField(null=True)
    evidence = models.JSONField(default=list)  # [{"kind", "id", "label", "at"}, …], see `alerts.signals.Evidence`

    # by the data's clock
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)  # when the data was well again; null while open or when closed by hand

    # by ours
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField()  # of the last signals taken; older ones are ignored
    told_at = models.DateTimeField(null=True)  # when deliveries were last written
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    assigned_to = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True)
    awaits_ok = models.BooleanField(default=False)  # closed by hand while the data was not well, and not well since

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="incident_in_workspace"),
            models.CheckConstraint(
                condition=Q(rule=None, budget__isnull=False) | Q(rule__isnull=False, budget=None),
                name="incident_of_rule_or_budget",
            ),
            models.CheckConstraint(condition=Q(state__in=list(IncidentState)), name="incident_state_known"),
            models.CheckConstraint(condition=Q(severity__in=list(Severity)), name="incident_severity_known"),
            models.CheckConstraint(
                condition=Q(state=IncidentState.RESOLVED, resolved_at__isnull=False)
                | (~Q(state=IncidentState.RESOLVED) & Q(resolved_at=None)),
                name="incident_resolved_has_time",
            ),
            # Opened once, whoever evaluates at the same time.
            models.UniqueConstraint(
                fields=["workspace", "rule", "budget", "group"],
                condition=~Q(state=IncidentState.RESOLVED),
                nulls_distinct=False,
                name="incident_open_once",
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["workspace", "-opened_at", "-id"], name="incident_recent"),
            # How many are open, on every page, and the list of them.
            models.Index(
                fields=["workspace", "-opened_at", "-id"],
                condition=~Q(state=IncidentState.RESOLVED),
                name="incident_open",
            ),
            # What the next signals change.
            models.Index(
                fields=["workspace", "rule", "budget"],
                condition=~Q(state=IncidentState.RESOLVED) | Q(awaits_ok=True),
                name="incident_watched",
            ),
            # The last one of a group.
            models.Index(fields=["workspace", "rule", "budget", "group", "-id"], name="incident_of_group"),
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.group}" if self.group else str(self.owner)

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("incident", args=[self.workspace.slug, self.pk])

    @property
    def owner(self) -> "Rule | Budget":
        """What it belongs to."""
        owner = self.rule or self.budget
        if owner is None:
            raise ValueError("An incident belongs to a rule or to a budget.")
        return owner

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.state != IncidentState.RESOLVED


class IncidentEvent(models.Model):
    """One line of an incident's timeline. Never changed."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, models.DO_NOTHING, related_name="events", **WITHIN_WORKSPACE)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30, choices=[(kind.value, kind.value) for kind in IncidentEventKind])
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.DO_NOTHING, null=True, related_name="+", **WITHIN_WORKSPACE)
    actor = models.CharField(max_length=200, blank=True)  # a person's or key's name at that time; empty = the server
    text = models.CharField(max_length=2000, blank=True)
    detail = models.JSONField(default=dict)  # {"value", "threshold", "severity"} or {"channel"}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="incident_event_in_workspace"),
            models.CheckConstraint(condition=Q(kind__in=list(IncidentEventKind)), name="incident_event_kind_known"),
        ]
        indexes = [
            models.Index(fields=["workspace", "incident", "id"], name="incident_timeline"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One thing that one channel is to be told about one incident: the outbox, written with what it tells of."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.DO_NOTHING, related_name="deliveries", **WITHIN_WORKSPACE)
    incident = models.ForeignKey(Incident, models.DO_NOTHING, related_name="deliveries", **WITHIN_WORKSPACE)
    cause = models.ForeignKey(IncidentEvent, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in DeliveryKind])
    state = models.CharField(
        max_length=20, choices=[(state.value, state.value) for state in DeliveryState], default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)  # while sending: whoever claimed it is taken for dead after that
    message_key = models.UUIDField(null=True)  # of the message it goes out with, the same at every attempt
    is_uncertain = models.BooleanField(default=False)  # a process ended while it sent: it may have arrived
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "cause", "channel", "kind"], name="delivery_once"),
            models.CheckConstraint(condition=Q(kind__in=list(DeliveryKind)), name="delivery_kind_known"),
            models.CheckConstraint(condition=Q(state__in=list(DeliveryState)), name="delivery_state_known"),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.SENDING) | Q(lease_until__isnull=False, message_key__isnull=False),
                name="delivery_sending_is_leased",
            ),
        ]
        indexes = [
            # What the sweeper looks for.
            models.Index(
                fields=["channel", "next_attempt_at"],
                condition=Q(state__in=[DeliveryState.WAITING, DeliveryState.FAILED]),
                name="delivery_due",
            ),
            models.Index(fields=["lease_until"], condition=Q(state=DeliveryState.SENDING), name="delivery_leased"),
            # Of an incident's page; of a channel's page, newest first, and its messages of the last hour.
            models.Index(fields=["workspace", "incident", "id"], name="delivery_of_incident"),
            models.Index(fields=["workspace", "channel", "-id"], name="delivery_of_channel"),
            models.Index(fields=["channel", "sent_at"], condition=Q(sent_at__isnull=False), name="delivery_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to channel {self.channel_id}: {self.state}"


class Silence(models.Model):
    """Nobody is told of some incidents for some time; what is still open afterwards is told then."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="silences", db_index=False)
    # of what; all empty = of everything
    rule = models.ForeignKey("Rule", models.DO_NOTHING, null=True, blank=True, related_name="+", **WITHIN_WORKSPACE)
    budget = models.ForeignKey("Budget", models.DO_NOTHING, null=True, blank=True, related_name="+", **WITHIN_WORKSPACE)
    group = models.CharField(max_length=300, blank=True)  # of any rule, or of the one named
    reason = models.CharField(max_length=300)

    # when: once, or every week at these hours within these times
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)  # null = until it is ended
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # 0 = Monday; empty = once
    from_time = models.TimeField(null=True, blank=True)  # by the wall clock of `time_zone`; may pass midnight
    to_time = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rule=None) | Q(budget=None), name="silence_of_one_owner"),
            models.CheckConstraint(condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")), name="silence_in_order"),
            models.CheckConstraint(
                condition=Q(weekdays=[], from_time=None, to_time=None)
                | (~Q(weekdays=[]) & Q(from_time__isnull=False, to_time__isnull=False)),
                name="silence_once_or_weekly",
            ),
            models.CheckConstraint(condition=Q(weekdays__contained_by=list(range(7))), name="silence_weekdays_known"),
        ]
        indexes = [
            models.Index(fields=["workspace", "ends_at"], name="silence_by_end"),
        ]

    def __str__(self) -> str:
        of = self.rule or self.budget or "everything"
        return f"{of}: {self.group}" if self.group else str(of)
