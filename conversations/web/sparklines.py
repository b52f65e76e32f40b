"""The stored saw-tooth as a small inline SVG; see conversations/ingest/sparkline.py for what is stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from conversations.web.highlight import Html

WIDTH, HEIGHT = 160, 28
_MARGIN = 2  # so that the line's own width is not cut off


def sparkline_svg(line: Mapping[str, Any], *, label: str, css: str = "spark") -> Html:
    """The line, the area under it and a dashed stroke at each compaction; empty where no request was seen.
    `label` must be safe: it is ours, not a message's."""
    points: Sequence[Sequence[int]] = line.get("points") or ()
    if not points:
        return Html("")
    step = WIDTH / max(len(points), 1)
    top = max(high for _, high in points) or 1
    path = " ".join(f"{x:g},{y:g}" for x, y in _outline(points, step, top))
    last = round(len(points) * step - step / 2, 1)
    marks = "".join(_mark(mark * step) for mark in line.get("marks") or ())
    return Html(
        f'<svg class="{css}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<polygon class="plot-area" points="{round(step / 2, 1):g},{HEIGHT} {path} {last:g},{HEIGHT}"/>'
        f'{marks}<polyline class="plot-line" points="{path}"/></svg>'
    )


def _outline(points: Sequence[Sequence[int]], step: float, top: int) -> list[tuple[float, float]]:
    """Each point in the middle of its place: lowest, then highest, as a tooth rises."""
    found: list[tuple[float, float]] = []
    for at, (low, high) in enumerate(points):
        x = round((at + 0.5) * step, 1)
        found += [(x, _y(low, top))] if low == high else [(x, _y(low, top)), (x, _y(high, top))]
    return found


def _y(tokens: int, top: int) -> float:
    return round(HEIGHT - _MARGIN - tokens / top * (HEIGHT - 2 * _MARGIN), 1)


def _mark(x: float) -> str:
    return f'<line class="plot-mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}"/>'
