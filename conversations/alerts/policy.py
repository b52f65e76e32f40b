"""Whether a channel is told of something now, later, or not at all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.alerts.hours import Hours
from conversations.vocabulary import DeliveryKind, IncidentState, Severity

#: Silences and snoozes are looked at again after so long: people end and shorten them.
RECHECK = timedelta(minutes=5)
#: Incidents of one moment that are told one by one; more go into one message.
MOST_SINGLE = 5
_UNTIL_ACKNOWLEDGED = frozenset({DeliveryKind.REMINDED, DeliveryKind.ESCALATED})


@dataclass(frozen=True, slots=True)
class Manners:
    """When a channel may be used."""

    quiet: Hours | None = None
    wakes_when_critical: bool = True  # critical incidents are told at once, in quiet hours and past a digest
    digest: timedelta = timedelta(0)
    most_an_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be told, and how its incident stands now."""

    kind: DeliveryKind
    state: IncidentState
    severity: Severity
    written_at: datetime
    snoozed_until: datetime | None = None
    silent_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Now, unless it says later or never; `why` is for the timeline."""

    later: datetime | None = None
    never: bool = False
    why: str = ""


NOW = Decision()


def decide(wish: Wish, manners: Manners, now: datetime) -> Decision:
    """Of one wish by itself."""
    resolved = wish.state == IncidentState.RESOLVED
    if wish.kind in _UNTIL_ACKNOWLEDGED and wish.state != IncidentState.OPEN:
        return Decision(never=True, why=f"it was {wish.state.value} by then")
    if wish.silent_until and resolved:
        return Decision(never=True, why="it was resolved while it was silenced")
    if wish.silent_until:
        return Decision(later=min(wish.silent_until, now + RECHECK), why="silenced")
    if wish.snoozed_until and wish.snoozed_until > now and not resolved:
        return Decision(later=min(wish.snoozed_until, now + RECHECK), why="snoozed")
    quiet_until = manners.quiet.end_of(now) if manners.quiet and not is_urgent(wish, manners) else None
    return Decision(later=quiet_until, why="quiet hours") if quiet_until else NOW


def is_urgent(wish: Wish, manners: Manners) -> bool:
    """Whether neither quiet hours nor a digest hold it up."""
    is_critical = wish.severity == Severity.CRITICAL and wish.state != IncidentState.RESOLVED
    return is_critical and manners.wakes_when_critical


def digest_due(wishes: Sequence[Wish], manners: Manners) -> datetime:
    """When wishes that may be told are told together: so long after the first of them was written."""
    return min(wish.written_at for wish in wishes) + manners.digest


def goes_together(incidents: int, manners: Manners, sent_last_hour: int) -> bool:
    """Whether so many incidents are told in one message, for a storm of them would use up what may be sent."""
    room = incidents if manners.most_an_hour is None else manners.most_an_hour - sent_last_hour
    return incidents > min(MOST_SINGLE, room)
