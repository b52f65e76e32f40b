"""Hours of the wall clock: whether a moment lies in quiet hours or in a silence, and when that ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time to another by the clocks of a time zone, on some days of the week (0 = Monday; none = every day).

    A span whose end is not after its beginning passes midnight and belongs to the day on which it begins; equal times
    are a whole day."""

    begins: time
    ends: time
    zone: str = "UTC"
    weekdays: tuple[int, ...] = ()

    def end_of(self, at: datetime) -> datetime | None:
        """The end (UTC) of the span that `at` lies in; None when it lies in none."""
        today = at.astimezone(ZoneInfo(self.zone)).date()
        for day in (today - _DAY, today):
            begin, end = self._span(day)
            if self._is_on(day) and begin <= at < end:
                return end
        return None

    def _is_on(self, day: date) -> bool:
        return not self.weekdays or day.weekday() in self.weekdays

    def _span(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.ends > self.begins else day + _DAY
        return self._moment(day, self.begins), self._moment(last, self.ends)

    def _moment(self, day: date, clock: time) -> datetime:
        """UTC. A time that the clocks skip in spring is as late as if they had not; of one that comes twice in autumn
        the first is meant."""
        return datetime.combine(day, clock, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a silence is in force: from one moment to another (None = until it is ended), or at its hours in between."""

    starts_at: datetime
    ends_at: datetime | None
    hours: Hours | None = None

    def silent_until(self, at: datetime) -> datetime | None:
        """When the silence that `at` lies in ends (`datetime.max` when nobody knows); None when it lies in none."""
        last = self.ends_at or _NEVER
        if not self.starts_at <= at < last:
            return None
        if self.hours is None:
            return last
        end = self.hours.end_of(at)
        return min(end, last) if end else None


_NEVER = datetime.max.replace(tzinfo=UTC)


def silent_until(schedules: Sequence[Schedule], at: datetime) -> datetime | None:
    """When the last of the silences that `at` lies in ends; None when it lies in none."""
    ends = [end for schedule in schedules if (end := schedule.silent_until(at))]
    return max(ends, default=None)
