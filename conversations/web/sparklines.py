"""The stored saw-tooth as a small inline SVG; see conversations/ingest/sparkline.py for what is stored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from conversations.web.highlight import Html

#: The drawing's height; its width is the number of points. Whole numbers: the browser stretches it to its box.
HEIGHT = 280
_TOP, _FLOOR = 20, 260  # so that the line's own width is not cut off
_LABEL = "@label@"  # where it stands in a drawing that is kept


def sparkline_svg_of(stored: str, *, label: str) -> Html:
    """The same from the stored JSON itself."""
    return Html(_drawn(stored).replace(_LABEL, label, 1))


@lru_cache(maxsize=2000)  # 2 to 3 kB each. Lists show the same newest conversations again and again: 0.2 ms a line
def _drawn(stored: str) -> str:
    return sparkline_svg(json.loads(stored), label=_LABEL)


def sparkline_svg(line: Mapping[str, Any], *, label: str, css: str = "spark", above: Sequence[int] = ()) -> Html:
    """The line, the area under it and a dashed stroke at each compaction; empty where no request was seen. `above`: for
    each point so many tokens higher a second, thin line.

    One shape is both line and area: it goes on beyond the edges, where its other sides are not seen.
    `label` must be safe: it is ours, not a message's.
    """
    points: Sequence[Sequence[int]] = line.get("points") or ()
    if not points:
        return Html("")
    if len(points) == 1:
        points = [points[0], points[0]]  # a line needs two ends
    right, below = len(points) - 1, 2 * HEIGHT
    top = top_of(line, above) or 1
    path = list(_outline(points, top))
    first, last = path[0].partition(",")[2], path[-1].partition(",")[2]
    marks = "".join(_mark(min(max(mark - 0.5, 0), right)) for mark in line.get("marks") or ())
    return Html(
        f'<svg class="{css}" viewBox="0 0 {right} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<polyline class="plot-tooth" points="-9,{below} -9,{first} {" ".join(path)} {right + 9},{last}'
        f' {right + 9},{below}"/>{marks}{_second(points, above, top)}</svg>'
    )


def top_of(line: Mapping[str, Any], above: Sequence[int] = ()) -> int:
    """The highest that is drawn, in tokens."""
    points: Sequence[Sequence[int]] = line.get("points") or ()
    heights = [high for _, high in points]
    return max([*heights, *(high + more for high, more in zip(heights, above, strict=False))], default=0)


def _second(points: Sequence[Sequence[int]], above: Sequence[int], top: int) -> str:
    if not above:
        return ""
    scale = (_FLOOR - _TOP) / top
    heights = [high + more for (_, high), more in zip(points, above, strict=False)]
    path = " ".join(f"{at},{_FLOOR - int(height * scale)}" for at, height in enumerate(heights))
    return f'<polyline class="plot-would" points="{path}"/>'


def _outline(points: Sequence[Sequence[int]], top: int) -> Iterator[str]:
    """Both ends of each point, first the one nearer to where the line came from.

    Low to high where a tooth rises, high to low where it was cut within the point.
    """
    scale = (_FLOOR - _TOP) / top
    last = points[0][0]
    for at, (low, high) in enumerate(points):
        if low == high:
            last = low
            yield f"{at},{_FLOOR - int(low * scale)}"
        else:
            near, last = (low, high) if 2 * last <= low + high else (high, low)
            yield f"{at},{_FLOOR - int(near * scale)} {at},{_FLOOR - int(last * scale)}"


def _mark(x: float) -> str:
    return f'<line class="plot-mark" x1="{x:g}" x2="{x:g}" y1="0" y2="{HEIGHT}"/>'
