"""What a rule looks at and when it fires, as a value; what is wrong with one; and the points it looks at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from conversations.vocabulary import Aggregation, Direction, NoData

MINUTE = timedelta(minutes=1)
#: A group of which nothing came for so long is forgotten: what it told of ends.
FORGOTTEN_AFTER = timedelta(days=7)
#: A window is looked at four times while it passes, but not more often than every minute.
LOOKS_A_WINDOW = 4
#: Windows, in minutes: at least one look a minute, at most two weeks.
WINDOW_RANGE = (5, 20_160)
QUIET_RANGE = (5, 43_200)
SETTLE_RANGE = (0, 1_440)
MOST_IN_A_ROW = 100
MOST_SAMPLE = 1_000_000
#: Figures that are known where nothing happened: nothing happened 0 times.
KNOWN_OF_NOTHING = frozenset({Aggregation.COUNT, Aggregation.SUM})
CHANGES = frozenset({Direction.RISES, Direction.FALLS})


class Point(NamedTuple):
    """One event: when (by the data's clock), its value, the group it belongs to, and the row that shows it."""

    at: datetime
    value: float
    group: str
    id: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events count; empty = any."""

    agent: str = ""
    version: str = ""
    model: str = ""
    fact_kind: str = ""
    least_importance: float = 0  # of a fact, 0 to 1
    ledger_entry: str = ""  # its name


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule without its name and whom it tells.

    Thresholds are in the metric's unit, in events for COUNT, in percent for SHARE and for changes; a value fires beyond
    a threshold, never on it."""

    metric: str  # key of metrics.METRICS
    aggregation: Aggregation = Aggregation.EACH
    warning: float | None = None
    critical: float | None = None
    clear: float | None = None  # hysteresis: what fires ends here; None = where it began
    direction: Direction = Direction.ABOVE
    in_a_row: int = 1  # events, or windows, each a quarter of its length after the one before
    clear_in_a_row: int = 1  # so often it must be well before it is over: what goes on and off is told once
    window: timedelta = timedelta(hours=1)
    minimum_sample: int = 1  # events in a window; with fewer there is no figure. COUNT and SUM need none
    no_data: NoData = NoData.IGNORE
    quiet: timedelta = timedelta(days=1)  # what fires ends so long after the last data
    settle: timedelta = timedelta(minutes=2)  # how long data are waited for
    group_by: str = ""  # one of GroupBy; empty = everything together
    selection: Selection = Selection()

    @property
    def lowest(self) -> float:
        """The threshold that is reached first."""
        found = self.warning if self.warning is not None else self.critical
        if found is None:
            raise ValueError("A rule has at least one threshold.")
        return found

    @property
    def reach(self) -> timedelta:
        """How far before a moment the events lie that decide about it."""
        if self.aggregation == Aggregation.EACH:
            return timedelta(0)
        return self.window * (2 if self.direction in CHANGES else 1)

    @property
    def step(self) -> timedelta:
        """From one look at a window to the next; whole minutes."""
        return max(MINUTE, self.window // LOOKS_A_WINDOW // MINUTE * MINUTE)

    @property
    def minds_silence(self) -> bool:
        """Whether a group that says nothing more may fire for that: then it is remembered."""
        of_nothing = self.direction in CHANGES or self.beyond(0, self.lowest)
        return (self.aggregation in KNOWN_OF_NOTHING and of_nothing) or self.no_data == NoData.TELL

    def beyond(self, value: float, threshold: float) -> bool:
        """Whether the value is on the wrong side."""
        return value < threshold if self.direction == Direction.BELOW else value > threshold


def problems(definition: Definition) -> Iterator[tuple[str, str]]:
    """(field of the model, what is wrong), for everything that needs no knowledge of metrics."""
    yield from _thresholds(definition)
    yield from _sizes(definition)
    if definition.aggregation == Aggregation.EACH and definition.direction in CHANGES:
        yield "direction", "Single events have no window before them. Choose a figure over a time."


def _thresholds(definition: Definition) -> Iterator[tuple[str, str]]:
    given = {name: getattr(definition, name) for name in ("warning", "critical", "clear")}
    for name, value in given.items():
        if value is not None and not math.isfinite(value):
            yield name, "This must be a number."
    if definition.warning is None and definition.critical is None:
        yield "warning", "Give at least one threshold."
        return
    if None not in (definition.warning, definition.critical) and not definition.beyond(
        definition.critical or 0, definition.warning or 0
    ):
        yield "critical", f"Critical must lie {_side(definition)} the warning."
    if definition.clear is not None and definition.beyond(definition.clear, definition.lowest):
        yield "clear", "It must not fire where it ends: this lies beyond the threshold."


def _side(definition: Definition) -> str:
    return "below" if definition.direction == Direction.BELOW else "above"


def _sizes(definition: Definition) -> Iterator[tuple[str, str]]:
    numbers = (
        ("window_minutes", definition.window / MINUTE, WINDOW_RANGE),
        ("quiet_minutes", definition.quiet / MINUTE, QUIET_RANGE),
        ("settle_minutes", definition.settle / MINUTE, SETTLE_RANGE),
        ("in_a_row", definition.in_a_row, (1, MOST_IN_A_ROW)),
        ("clear_in_a_row", definition.clear_in_a_row, (1, MOST_IN_A_ROW)),
        ("minimum_sample", definition.minimum_sample, (1, MOST_SAMPLE)),
        ("least_importance", definition.selection.least_importance, (0, 1)),
    )
    for name, value, (least, most) in numbers:
        if not least <= value <= most:
            yield name, f"This must be between {least:,} and {most:,}."
