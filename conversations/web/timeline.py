"""The token timeline before it is drawn: which of many points to draw, and a sentence that says what they show."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import NamedTuple

BUCKETS = 800
MOST_POINTS = 2_500
#: So many times the largest context that was sent: a line without compaction still leaves its teeth to be seen.
WOULD_IN_SIGHT = 6
_EXACT_BELOW = 10_000  # tokens


class Point(NamedTuple):
    """One model call."""

    position: int
    tokens: int  # context: what the model read
    at: datetime | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None  # what it answered


@dataclass(frozen=True, slots=True)
class Cut:
    """One compaction on the timeline. `before` and `after` in tokens, None where not known."""

    number: int
    position: int
    at: datetime
    before: int | None
    after: int | None
    href: str
    label: str
    harmful: bool = False  # what it lost did harm afterwards
    clearing: bool = False  # it blanked tool results and replaced nothing else


def index_of(points: Sequence[Point], cut: Cut) -> int:
    """How many requests came before the compaction: it stands between points[index - 1] and points[index]."""
    return bisect_left(points, cut.position, key=lambda point: point.position)


def chosen(values: Sequence[int], edges: Sequence[int], *, most: int = MOST_POINTS) -> list[int]:
    """Indices to draw: all when they are few, else enough that no tooth loses its height.

    The first, lowest, highest and last of each of 800 buckets, and both sides of every edge; fewer buckets when that is
    still too much.
    """
    if len(values) <= most:
        return list(range(len(values)))
    beside = {at for edge in edges for at in (edge - 1, edge) if 0 <= at < len(values)}
    buckets = BUCKETS
    while True:
        picked = sorted(beside | _extremes(values, buckets))
        if len(picked) <= most or buckets == 1:
            return picked
        buckets = buckets * 3 // 4


def _extremes(values: Sequence[int], buckets: int) -> set[int]:
    picked: set[int] = set()
    for number in range(buckets):
        start, stop = number * len(values) // buckets, (number + 1) * len(values) // buckets
        if start < stop:
            bucket = range(start, stop)
            picked |= {start, stop - 1, min(bucket, key=values.__getitem__), max(bucket, key=values.__getitem__)}
    return picked


def caption(*, requests: int, peak: int | None, now: int | None, cuts: Sequence[Cut]) -> str:
    """What the figure shows, in words."""
    if not requests or peak is None:
        return "No model call with token counts has been seen in this conversation."
    said = [f"{_counted(requests, 'request')}; the context held {peak:,} tokens at its largest"]
    if now is not None and now != peak:
        said[0] += f" and {now:,} at the last request"
    return ". ".join([*said, _cuts_said(cuts)]) + "."


def _cuts_said(cuts: Sequence[Cut]) -> str:
    harmful = sum(cut.harmful for cut in cuts)
    said = _teeth_said(cuts)
    return f"{said}. What {_counted(harmful, 'compaction')} lost did harm afterwards" if harmful else said


def _teeth_said(cuts: Sequence[Cut]) -> str:
    if not cuts:
        return "It was never compacted"
    both = [(cut.before, cut.after) for cut in cuts if cut.before is not None and cut.after is not None]
    times = _counted(len(cuts), "compaction")
    if not both:
        return f"{times}; the tokens around them are not known"
    before, after = median(before for before, _ in both), median(after for _, after in both)
    if len(cuts) == 1:
        return f"One compaction took it from {before:,.0f} to {after:,.0f}"
    return f"{times} took it from about {_thousands(before)} to about {_thousands(after)} (medians)"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _thousands(tokens: float) -> str:
    return f"{tokens / 1000:,.0f} k" if tokens >= _EXACT_BELOW else f"{tokens:,.0f}"
