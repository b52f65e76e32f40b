"""A rule's preview as a page shows it: a figure of bars with its thresholds, the same as a table, and links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.alerts.metrics import EVENTS, METRICS, unit_of
from conversations.alerts.preview import Bar, Preview, bars
from conversations.alerts.rules import Interval
from conversations.alerts.sentences import amount, lasted, said_at
from conversations.vocabulary import Direction, Severity, SignalState
from conversations.web.highlight import Html

#: Bars of a figure, and rows of its table: one for each day, or half a day of a week.
BARS, ROWS = 90, 30
HEIGHT, _STEP, _WIDTH = 120, 8, 6  # of the figure and of a bar, in its own units
_ROOM = 1.1  # above the highest


@dataclass(frozen=True, slots=True)
class FiringRow:
    """One line of the list."""

    interval: Interval
    lasted: str
    value: str
    links: list[tuple[str, int, str]]  # kind, id, label

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.interval.since

    @property
    def sign(self) -> str:
        """How bad it was, as the class of a badge."""
        return Severity(self.interval.severity).value

    @property
    def word(self) -> str:
        """What it says on the badge."""
        return "no data" if self.interval.state == SignalState.NO_DATA else self.sign


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview, ready for its template."""

    preview: Preview
    rows: list[FiringRow]
    svg: Html
    table: list[tuple[str, str, int, bool]]  # when, worst reading, readings, whether it fired
    caption: str
    events: str
    worst: str
    suggested: str  # as words
    suggested_value: str  # as the form takes it

    @property
    def hidden(self) -> int:
        """Firings that are not listed."""
        return self.preview.fired - len(self.rows)


def shown_preview(found: Preview) -> Shown:
    """Everything the template says."""
    definition = found.definition
    unit = unit_of(METRICS[definition.metric], definition.aggregation, definition.direction)
    figure = bars(found, BARS)
    return Shown(
        preview=found,
        rows=[
            FiringRow(each.interval, lasted(each.interval, found.until), amount(each.interval.peak, unit),
                      [(link.kind, link.id, link.label) for link in each.links])
            for each in found.shown
        ],
        svg=figure_svg(figure, _limits(found)),
        table=[(said_at(bar.since), amount(bar.value, unit), bar.readings, bar.fires) for bar in bars(found, ROWS)],
        caption=_caption(found, unit),
        events=f"{EVENTS[METRICS[definition.metric].source]}s",
        worst=amount(found.worst, unit),
        suggested=amount(found.suggested, unit) if found.suggested is not None else "",
        suggested_value=f"{found.suggested:.12g}" if found.suggested is not None else "",
    )  # fmt: skip


def _limits(found: Preview) -> list[float]:
    return [limit for limit in (found.definition.warning, found.definition.critical) if limit is not None]


def _caption(found: Preview, unit: str) -> str:
    side = "Lowest" if found.definition.direction == Direction.BELOW else "Highest"
    limits = " and ".join(amount(limit, unit) for limit in _limits(found))
    span = f"{said_at(found.since)} to {said_at(found.until)}"
    return f"{side} figure of each stretch from {span}; dashed: the threshold, {limits}."


def figure_svg(figure: Sequence[Bar], limits: Sequence[float]) -> Html:
    """Bars, those that fired marked, and a dashed line for each threshold; the caption and the table say the same."""
    values = [bar.value for bar in figure if bar.value is not None]
    high = max([*values, *limits, 0]) * _ROOM or 1
    low = min([*values, *limits, 0])
    scale = HEIGHT / (high - low)
    drawn = "".join(_bar(number, bar, scale, low) for number, bar in enumerate(figure))
    width = len(figure) * _STEP
    lines = "".join(_limit(HEIGHT - (limit - low) * scale, width) for limit in limits)
    return Html(
        f'<svg class="rule-figure" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}{lines}</svg>"
    )


def _bar(number: int, bar: Bar, scale: float, low: float) -> str:
    x = number * _STEP
    back = f'<rect class="fired" x="{x}" y="0" width="{_STEP}" height="{HEIGHT}"/>' if bar.fires else ""
    if bar.value is None:
        return back
    top, base = HEIGHT - (max(bar.value, 0) - low) * scale, HEIGHT - (min(bar.value, 0) - low) * scale
    height = max(base - top, 1)
    css = "plot-bar beyond" if bar.fires else "plot-bar"
    return f'{back}<rect class="{css}" x="{x + 1}" y="{base - height:.1f}" width="{_WIDTH}" height="{height:.1f}"/>'


def _limit(y: float, width: int) -> str:
    return f'<line class="limit" x1="0" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>'
