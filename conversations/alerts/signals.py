"""What a rule or a budget says at one moment about one group; incidents are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.vocabulary import Severity, SignalState

#: Places that an incident links to; more than anybody opens, and few enough to be kept with each incident.
MOST_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in the data that the signal rests on; `kind` and `id` name a page, e.g. "compaction" and its key."""

    kind: str  # "conversation", "compaction", "message" or "batch"
    id: int
    label: str  # what the link says
    at: datetime | None = None  # by the data's clock


@dataclass(frozen=True, slots=True)
class Signal:
    """How one group stands: it fires, it is well, or there is nothing to tell by."""

    group: str  # what the rule is grouped by, e.g. "coder"; empty = the whole
    state: SignalState
    severity: Severity
    since: datetime  # by the data's clock: since when it has been so
    value: float | None = None
    threshold: float | None = None
    summary: str = ""  # one sentence
    evidence: tuple[Evidence, ...] = ()  # at most MOST_EVIDENCE are kept


def by_group(signals: Sequence[Signal]) -> dict[str, Signal]:
    """The signal of each group; of several, the worst: firing before no data before ok, then the higher severity."""
    found: dict[str, Signal] = {}
    for signal in signals:
        if signal.group not in found or weight(signal) > weight(found[signal.group]):
            found[signal.group] = signal
    return found


def weight(signal: Signal) -> tuple[int, int]:
    """For comparing signals: the worse, the greater."""
    states = [SignalState.OK, SignalState.NO_DATA, SignalState.FIRING]
    return states.index(SignalState(signal.state)), severity_rank(signal.severity)


def severity_rank(severity: str) -> int:
    """0 for the least."""
    return list(Severity).index(Severity(severity))
