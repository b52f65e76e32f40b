"""Windows of time: when a budget's period begins and ends, and which stored sums lie in it.

Days, weeks and months are those of a wall clock: the day on which daylight saving begins or ends has 23 or 25 hours.
Sums are kept by UTC days and by quarters of an hour (`SLOT`), at which the days of every time zone begin.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from conversations.vocabulary import BudgetPeriod

SLOT = timedelta(minutes=15)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """When a budget begins anew. `hours` of a rolling one; days, weeks (from Monday) and months are of `time_zone`."""

    period: BudgetPeriod = BudgetPeriod.LIFE
    time_zone: str = "UTC"
    hours: int | None = None

    @property
    def is_calendar(self) -> bool:
        """Whether its windows follow one upon the other."""
        return self.period not in (BudgetPeriod.LIFE, BudgetPeriod.ROLLING)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until before `end`, in UTC; None = without a bound."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the moment lies in it."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def days(self) -> tuple[date, date]:
        """The whole UTC days in it: the first, and the one after the last. Equal where there is none."""
        first = date.min if self.start is None else (self.start + DAY - timedelta(microseconds=1)).date()
        after = date.max if self.end is None else self.end.date()
        return first, max(first, after)

    def edges(self) -> list[tuple[datetime, datetime]]:
        """What is left of it before and after its whole days, as (from, until before)."""
        first, after = self.days()
        if self.start is not None and self.end is not None and first == after:
            return [(self.start, self.end)]
        edges = []
        if self.start is not None and self.start < midnight(first):
            edges.append((self.start, midnight(first)))
        if self.end is not None and midnight(after) < self.end:
            edges.append((midnight(after), self.end))
        return edges


LIFE = Window()
FOR_LIFE = Every()


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


def slot_of(at: datetime) -> datetime:
    """The quarter of an hour in which it lies, by its beginning."""
    return at - (at - _EPOCH) % SLOT


def window_at(every: Every, at: datetime) -> Window:
    """The window that is running at a moment. A rolling one ends with the quarter of an hour that is running."""
    if every.period == BudgetPeriod.LIFE:
        return LIFE
    if every.period == BudgetPeriod.ROLLING:
        end = slot_of(at) + SLOT
        return Window(end - (every.hours or 1) * HOUR, end)
    if every.period == BudgetPeriod.HOUR:
        start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return Window(start, start + HOUR)
    return _calendar(every.period, every.time_zone, at.astimezone(_zone(every.time_zone)).date())


def windows_between(every: Every, since: datetime, until: datetime) -> Iterator[Window]:
    """The calendar windows that touch the time from `since` until before `until`, in order. Raises ValueError for a
    period that has none."""
    if not every.is_calendar:
        raise ValueError(f"{every.period} has no windows that follow one upon the other")
    window = window_at(every, since)
    while window.start is not None and window.end is not None and window.start < until:
        yield window
        window = window_at(every, window.end)


@lru_cache(maxsize=4096)
def _calendar(period: BudgetPeriod, zone: str, day: date) -> Window:
    if period == BudgetPeriod.DAY:
        first, after = day, day + DAY
    elif period == BudgetPeriod.WEEK:
        first = day - timedelta(days=day.weekday())
        after = first + 7 * DAY
    else:
        first = day.replace(day=1)
        after = (first + 31 * DAY).replace(day=1)
    return Window(_begin(first, zone), _begin(after, zone))


def _begin(day: date, zone: str) -> datetime:
    """The first moment of a local day. Where the clock jumps over midnight it is the moment of the jump; where midnight
    comes twice it is the first: both are what fold 0 means."""
    return datetime.combine(day, time(), tzinfo=_zone(zone)).astimezone(UTC)


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
