"""The stored saw-tooth as a small inline SVG; see conversations/ingest/sparkline.py for what is stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from conversations.web.highlight import Html

WIDTH, HEIGHT = 160, 28
_MARGIN = 2  # so that the line's own width is not cut off


def sparkline_svg(line: Mapping[str, Any], *, label: str, css: str = "spark") -> Html:
    """The line, the area under it and a dashed stroke at each compaction; empty where no request was seen.

    `label` must be safe: it is ours, not a message's.
    """
    points: Sequence[Sequence[int]] = line.get("points") or ()
    if not points:
        return Html("")
    if len(points) == 1:
        points = [points[0], points[0]]  # a line needs two ends
    step = WIDTH / (len(points) - 1)
    top = max(high for _, high in points) or 1
    path = " ".join(f"{x:g},{y:g}" for x, y in _outline(points, step, top))
    marks = "".join(_mark(min(max((mark - 0.5) * step, 0), WIDTH)) for mark in line.get("marks") or ())
    return Html(
        f'<svg class="{css}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<polygon class="plot-area" points="0,{HEIGHT} {path} {WIDTH},{HEIGHT}"/>'
        f'{marks}<polyline class="plot-line" points="{path}"/></svg>'
    )


def _outline(points: Sequence[Sequence[int]], step: float, top: int) -> list[tuple[float, float]]:
    """Both ends of each point, first the one nearer to where the line came from.

    Low to high where a tooth rises, high to low where it was cut within the point.
    """
    found: list[tuple[float, float]] = []
    last = points[0][0]
    for at, (low, high) in enumerate(points):
        ends = (low,) if low == high else (low, high) if abs(low - last) <= abs(high - last) else (high, low)
        found += [(round(at * step, 1), _y(tokens, top)) for tokens in ends]
        last = ends[-1]
    return found


def _y(tokens: int, top: int) -> float:
    return round(HEIGHT - _MARGIN - tokens / top * (HEIGHT - 2 * _MARGIN), 1)


def _mark(x: float) -> str:
    return f'<line class="plot-mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}"/>'
