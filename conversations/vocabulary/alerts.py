"""What alert rules look at, and how people are told."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad what an alert tells of is, from the least to the worst."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class SignalState(StrEnum):
    """How one group of a rule, or one budget, stands at a moment."""

    FIRING = "firing"
    OK = "ok"
    NO_DATA = "no_data"  # nothing to tell by; what that means is the rule's to say


class RunState(StrEnum):
    """What an evaluation of a rule came to."""

    FIRING = "firing"
    OK = "ok"
    NO_DATA = "no_data"
    FAILED = "failed"  # it could not be evaluated; its problem says why


class Aggregation(StrEnum):
    """How an alert rule makes one figure of what it looks at."""

    EACH = "each"  # every event by itself
    COUNT = "count"  # how many events in a window of time; 0 where there are none
    SUM = "sum"  # 0 where there are none
    MEAN = "mean"
    SHARE = "share"  # percent of the events whose value is above 0
    P50 = "p50"
    P95 = "p95"
    MAX = "max"
    ALPHA = "alpha"  # Krippendorff's, of opinions; see `alerts.readings.alpha`


class Direction(StrEnum):
    """On which side of its thresholds a rule fires."""

    ABOVE = "above"
    BELOW = "below"
    RISES = "rises"  # by more percent against the window before
    FALLS = "falls"


class NoData(StrEnum):
    """What it means to a rule that there is nothing, or too little, to tell by."""

    IGNORE = "ignore"  # it is left out; what fires ends after the quiet time
    TELL = "tell"  # people are told that there is no data
    KEEP = "keep"  # what fires goes on, what is well stays well
    OK = "ok"  # it is well


class GroupBy(StrEnum):
    """What a rule looks at one by one, each with incidents of its own."""

    AGENT = "agent"  # in all versions
    VERSION = "version"  # agent and version
    MODEL = "model"
    CONVERSATION = "conversation"
    LEDGER_ENTRY = "ledger_entry"  # by its name, where a metric looks at the ledger


class ChannelKind(StrEnum):
    """How a channel tells people."""

    APPRISE = "apprise"  # a service that Apprise knows: Slack, Teams, e-mail, …
    WEBHOOK = "webhook"  # our own signed POST
    IN_APP = "in_app"  # the bell in the bar


class IncidentState(StrEnum):
    """How far people have come with an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody sees to it; nobody else is woken
    RESOLVED = "resolved"


class IncidentEventKind(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    WORSENED = "worsened"  # a higher severity
    REMINDED = "reminded"  # it is still open, and people are told again
    ESCALATED = "escalated"  # nobody acknowledged it in time
    SILENCED = "silenced"  # nobody is told, because a silence or a snooze is in force
    NOTIFIED = "notified"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_UNCERTAIN = "delivery_uncertain"  # the process ended while it sent
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    RESOLVED_BY_DATA = "resolved_by_data"
    RESOLVED_BY_HAND = "resolved_by_hand"


class DeliveryKind(StrEnum):
    """What a channel is told about an incident."""

    OPENED = "opened"
    WORSENED = "worsened"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    SENDING = "sending"  # claimed by a process until its lease ends
    SENT = "sent"
    FAILED = "failed"  # tried and failed; will be tried again
    DEAD = "dead"  # given up; a person can send it again
    DROPPED = "dropped"  # no longer wanted before its time came: silenced, acknowledged, resolved
