"""Rows to Plotly figures: plain dicts of data. Which colour is said by token in `meta` and in a shape's name."""

from collections.abc import Sequence
from typing import Any

from conversations.web.timeline import WOULD_IN_SIGHT, Cut, Point, chosen, index_of

Figure = dict[str, Any]

#: Clearing old tool results is less than replacing everything by a summary: an empty triangle.
_SYMBOLS = {False: "triangle-down", True: "triangle-down-open"}
#: A context window far above everything drawn would press the line flat; then only the caption names it.
_WINDOW_IN_SIGHT = 1.6
#: (name, colour of the line, colour of the area)
_CACHE_PARTS = (
    ("read from the cache", "--kept", "--kept-tint"),
    ("written to the cache", "--altered", "--altered-tint"),
    ("not cached", "--ink-muted", "--surface-sunken"),
)


def token_timeline(
    points: Sequence[Point],
    cuts: Sequence[Cut],
    *,
    by_time: bool = False,
    cache: bool = False,
    limits: Sequence[tuple[str, int]] = (),
    within: tuple[float, float] | None = None,
    would: Sequence[int] = (),
) -> Figure:
    """Context tokens per request with a marker at every compaction.

    `points` in order; x is the request's number from 1, or its time; `limits` are dashed lines (label, tokens);
    `within` is a range of request numbers, to draw it in full; `would` what each request would have read without
    compaction, a thin line of its own.
    """
    places = [index_of(points, cut) for cut in cuts]
    first, stop = _bounds(within, len(points))
    inside = [at - first for at in places if first <= at <= stop]
    picked = [first + at for at in chosen([point.tokens for point in points[first:stop]], inside)]
    x = [_time(points[at]) if by_time else at + 1 for at in picked]
    # Between two requests nothing changes: over time the line is a step, not a slope over an idle night.
    shape = "hv" if by_time else "linear"
    lines = _cache_lines(points, picked, x, shape) if cache else [_context_line(points, picked, x, shape)]
    if would:
        lines.append(_would_line(points, would, picked, x, shape))
    placed = list(zip(cuts, places, strict=True))
    return {
        "data": [*lines, *(_marks(points, placed, harmful=harmful, by_time=by_time) for harmful in _harms(cuts))],
        "layout": _layout(points, limits, by_time=by_time, legend=cache or bool(would)),
        "meta": {"drawn": len(picked), "of": len(points)},
    }


def _bounds(within: tuple[float, float] | None, count: int) -> tuple[int, int]:
    if within is None:
        return 0, count
    low, high = sorted(min(max(edge, 0.0), float(count)) for edge in within)
    return max(int(low) - 2, 0), min(int(high) + 2, count)


def _time(point: Point) -> str | None:
    return point.at.isoformat() if point.at else None


def _context_line(points: Sequence[Point], picked: Sequence[int], x: Sequence[Any], shape: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "context tokens",
        "x": list(x),
        "y": [points[at].tokens for at in picked],
        "line": {"width": 1.5, "shape": shape},
        "fill": "tozeroy",
        "hovertemplate": "%{y:,} tokens<extra>request %{customdata}</extra>",
        "customdata": [at + 1 for at in picked],
        "meta": {"token": "--accent", "fill": "--accent-tint"},
    }


def _would_line(
    points: Sequence[Point], would: Sequence[int], picked: Sequence[int], x: Sequence[Any], shape: str
) -> Figure:
    """Where it would press the line of what was sent flat, it is drawn once it is chosen in the legend."""
    far = max(would) > WOULD_IN_SIGHT * max((point.tokens for point in points), default=0)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "without compaction",
        "x": list(x),
        "y": [would[at] for at in picked],
        "line": {"width": 1, "shape": shape, "dash": "dot"},
        "visible": "legendonly" if far else True,
        "hovertemplate": "%{y:,} tokens without compaction<extra>request %{customdata}</extra>",
        "customdata": [at + 1 for at in picked],
        "meta": {"token": "--ink-muted"},
    }


def _cache_lines(points: Sequence[Point], picked: Sequence[int], x: Sequence[Any], shape: str) -> list[Figure]:
    parts = [_cache_parts(points[at]) for at in picked]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": list(x),
            "y": [part[number] for part in parts],
            "stackgroup": "context",
            "line": {"width": 1, "shape": shape},
            "hovertemplate": "%{y:,} " + name + "<extra>request %{customdata}</extra>",
            "customdata": [at + 1 for at in picked],
            "meta": {"token": token, "fill": fill},
        }
        for number, (name, token, fill) in enumerate(_CACHE_PARTS)
    ]


def _cache_parts(point: Point) -> tuple[int, int, int]:
    read, written = point.cache_read or 0, point.cache_write or 0
    return read, written, max(point.tokens - read - written, 0)


def _harms(cuts: Sequence[Cut]) -> list[bool]:
    """Those that did no harm that is known of, then those that did: each has its own colour and sign."""
    return sorted({cut.harmful for cut in cuts})


def _marks(points: Sequence[Point], placed: Sequence[tuple[Cut, int]], *, harmful: bool, by_time: bool) -> Figure:
    mine = [(cut, at) for cut, at in placed if cut.harmful is harmful]
    return {
        "type": "scatter",
        "mode": "markers+text" if harmful else "markers",
        "name": "compaction that did harm" if harmful else "compaction",
        "x": [cut.at.isoformat() if by_time else at + 0.5 for cut, at in mine],
        "y": [_height(points, cut, at) for cut, at in mine],
        "marker": {"symbol": [_SYMBOLS[cut.clearing] for cut, _ in mine], "size": 12},
        "text": ["!" if harmful else "" for _ in mine],
        "textposition": "top center",
        "hovertext": [cut.label for cut, _ in mine],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "customdata": [cut.href for cut, _ in mine],
        "meta": {"token": "--forgotten" if harmful else "--ink"},
    }


def _height(points: Sequence[Point], cut: Cut, at: int) -> int:
    """On top of the tooth it cut."""
    if cut.before is not None:
        return cut.before
    return points[at - 1].tokens if at else 0


def _layout(points: Sequence[Point], limits: Sequence[tuple[str, int]], *, by_time: bool, legend: bool) -> Figure:
    top = max((point.tokens for point in points), default=0)
    seen = [(label, tokens) for label, tokens in limits if tokens <= top * _WINDOW_IN_SIGHT]
    return {
        "hovermode": "closest",
        "showlegend": legend,
        "xaxis": {"type": "date"} if by_time else {"title": {"text": "request"}},
        "yaxis": {"title": {"text": "context tokens"}, "tickformat": "~s"},
        "shapes": [_limit_line(tokens) for _, tokens in seen],
        "annotations": [_limit_word(label, tokens) for label, tokens in seen],
    }


def _limit_line(tokens: int) -> Figure:
    look = {"line": {"dash": "dash", "width": 1}, "name": "--control-line"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": tokens, "y1": tokens, **look}


def _limit_word(label: str, tokens: int) -> Figure:
    text = f"{label} {tokens:,}"
    place = {"xref": "paper", "x": 1, "xanchor": "right", "y": tokens, "yanchor": "bottom"}
    return {"text": text, "showarrow": False, **place}
