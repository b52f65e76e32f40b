"""How fast a budget is used, and when it runs out, with how sure that is.

The method, in full:

- Looked at are the last whole *steps*: quarters of an hour for an hour's budget, hours for a day's and a
  conversation's, days for all others; 28 at most, from the first in which anything was spent. One without is zero.
- The rate is their mean m, its spread their standard deviation s, over n steps.
- After k more steps the use is taken to be u + k·m, with a deviation of s·√(k + k²/n): the steps ahead vary as those
  behind did, and m itself is only as well known as n steps make it. Of a rolling budget what leaves the window by then
  is taken off, so that it may never run out.
- The *expected* end is the first step at which that reaches the limit; *early* and *late* are the first at which it
  does 1.2816 deviations above and below: eight of ten times the end lies between them, if the work does not change.
- Weekdays are not told from weekends, and trends are not drawn on: both show in a wider range.

With fewer than 3 steps nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import fmean, stdev

#: Steps looked back on, at most and at least, and ahead.
MOST_STEPS = 28
LEAST_STEPS = 3
AHEAD = 366
#: Eight of ten draws of a normal distribution lie within so many deviations.
_EIGHT_OF_TEN = 1.2816


@dataclass(frozen=True, slots=True)
class Forecast:
    """Use a step of time, and when the limit is reached; None = not before the budget begins anew, nor within AHEAD
    steps."""

    rate: float
    step: timedelta
    expected: datetime | None
    early: datetime | None
    late: datetime | None

    @property
    def a_day(self) -> float:
        """Use a day."""
        return self.rate * (timedelta(days=1) / self.step)


def forecast(
    past: Sequence[float],
    *,
    used: float,
    limit: float,
    now: datetime,
    step: timedelta,
    end: datetime | None = None,
    leaving: Sequence[float] = (),
) -> Forecast | None:
    """From what was used in each whole step that is past, the oldest first; None where that is too little.

    `end`: when the budget begins anew. `leaving`: what leaves a rolling window in each step ahead."""
    steps = _since_first(past[-MOST_STEPS:])
    if len(steps) < LEAST_STEPS:
        return None
    mean, spread = fmean(steps), stdev(steps)
    ends = []
    for deviations in (0.0, _EIGHT_OF_TEN, -_EIGHT_OF_TEN):
        found = _first(used, limit, mean, deviations * spread, len(steps), leaving)
        at = None if found is None else now + found * step
        ends.append(None if at is None or (end is not None and at >= end) else at)
    return Forecast(mean, step, *ends)


def _since_first(steps: Sequence[float]) -> Sequence[float]:
    first = next((number for number, amount in enumerate(steps) if amount), len(steps))
    return steps[first:]


def _first(used: float, limit: float, mean: float, spread: float, count: int, leaving: Sequence[float]) -> int | None:
    """The first step ahead at which the limit is reached; 0 = it is."""
    gone = 0.0
    for ahead in range(AHEAD + 1):
        if used - gone + ahead * mean + spread * sqrt(ahead + ahead**2 / count) >= limit:
            return ahead
        if leaving:  # once what is in the window has left, what came since follows
            gone += leaving[ahead] if ahead < len(leaving) else mean
    return None
