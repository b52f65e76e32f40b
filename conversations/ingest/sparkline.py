"""The saw-tooth in small: at most 64 (lowest, highest) pairs of context tokens, and where it was compacted.

Stored on the conversation as {"stride": s, "count": n, "points": [[low, high], …], "marks": [point, …]}: each point
stands for `s` consecutive turns, the last perhaps for fewer; a mark m says that a compaction came just before the
first turn of point m. Strides are powers of two, and two neighbours merge exactly, so adding turn by turn gives the
same value as building from all of them (no tolerance needed).
"""

from collections.abc import Iterable
from typing import NamedTuple, TypedDict

MOST_POINTS = 64


class Sparkline(TypedDict):
    """See the module's docstring. `count` is the number of turns."""

    stride: int
    count: int
    points: list[list[int]]
    marks: list[int]


class Turn(NamedTuple):
    """A model call that read `tokens`; None stands for a compaction."""

    position: int
    tokens: int | None


def empty() -> Sparkline:
    """Nothing happened yet."""
    return {"stride": 1, "count": 0, "points": [], "marks": []}


def extend(line: Sparkline, turns: Iterable[Turn]) -> Sparkline:
    """A new sparkline that goes on with `turns`, which all come after those in it, in any order among themselves."""
    stride, count = line["stride"], line["count"]
    points, marks = [list(point) for point in line["points"]], list(line["marks"])
    for turn in sorted(turns, key=_order):
        if turn.tokens is None:
            marks.append(count // stride)
            continue
        if count == stride * MOST_POINTS:
            stride, points, marks = stride * 2, _halved(points), [mark // 2 for mark in marks]
        if count % stride == 0:
            points.append([turn.tokens, turn.tokens])
        else:
            points[-1] = [min(points[-1][0], turn.tokens), max(points[-1][1], turn.tokens)]
        count += 1
    return {"stride": stride, "count": count, "points": points, "marks": list(dict.fromkeys(marks))}


def _order(turn: Turn) -> tuple[int, bool]:
    """By position; a compaction stands before the turn at the same position."""
    return (turn.position, turn.tokens is not None)


def _halved(points: list[list[int]]) -> list[list[int]]:
    pairs = zip(points[::2], points[1::2], strict=True)
    return [[min(left[0], right[0]), max(left[1], right[1])] for left, right in pairs]
