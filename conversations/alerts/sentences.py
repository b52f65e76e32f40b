"""Rules and what they found, in sentences. Pure."""

from datetime import datetime, timedelta

from conversations.alerts.definition import MINUTE, Definition
from conversations.alerts.metrics import HOW_MANY, METRICS, Metric, figure_words, unit_of
from conversations.alerts.rules import Interval
from conversations.vocabulary import Aggregation, Direction, NoData, Severity, SignalState

_SIDES = {
    Direction.ABOVE: "above",
    Direction.BELOW: "below",
    Direction.RISES: "rising by more than",
    Direction.FALLS: "falling by more than",
}
_NO_DATA = {
    NoData.IGNORE: "",
    NoData.TELL: "Without data people are told.",
    NoData.KEEP: "Without data it stays as it is.",
    NoData.OK: "Without data it is well.",
}
_GROUP_WORDS = {"version": "agent version", "ledger_entry": "rule of the ledger"}
_MANY, _ONE = frozenset({"facts", "statements", "events", "tokens", "characters"}), frozenset({"1", "-1"})
_MINUTES_COUNT = 120  # up to here they are said
_WHOLE = 1e15  # beyond it a float's digits say nothing


def amount(value: float | None, unit: str = "") -> str:
    """12.0 → "12"; 0.12345 → "0.123"; with its unit: "40 %", "$0.50"."""
    if value is None:
        return "–"
    if abs(value) < _WHOLE and value == int(value):
        text = f"{int(value):,}"
    else:
        text = f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"
    if unit == "$":
        return f"-${text[1:]}" if text.startswith("-") else f"${text}"
    return f"{text} {unit.removesuffix('s') if text in _ONE and unit in _MANY else unit}".strip()


def length(time: timedelta) -> str:
    """90 minutes → "90 min"; 2 hours → "2 h"; 3 days → "3 d"; 30 seconds → "30 s"."""
    seconds = time.total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def sentence(definition: Definition) -> str:
    """As in "facts forgotten per compaction above 5, critical above 10, 2 in a row; agent coder"."""
    metric = METRICS[definition.metric]
    parts = [f"{_what(metric, definition.aggregation)} {_side(definition)}"]
    if definition.aggregation != Aggregation.EACH:
        parts.append(f"over {length(definition.window)}")
    if definition.in_a_row > 1:
        parts.append(f"{definition.in_a_row} in a row")
    if definition.clear_in_a_row > 1:
        parts.append(f"over after {definition.clear_in_a_row} that are not")
    return "; ".join(filter(None, [", ".join(parts), _chosen(definition), _by(definition)]))


def _what(metric: Metric, aggregation: Aggregation) -> str:
    """As in "facts forgotten per compaction", "how many compactions"."""
    words = figure_words(metric, aggregation)
    return f"{words} {metric.label}" if words == HOW_MANY else f"{metric.label} {words}".strip()


def _side(definition: Definition) -> str:
    unit = unit_of(METRICS[definition.metric], definition.aggregation, definition.direction)
    side = _SIDES[definition.direction]
    said = f"{side} {amount(definition.lowest, unit)}"
    if definition.warning is not None and definition.critical is not None:
        said += f", critical {side} {amount(definition.critical, unit)}"
    return said


def _chosen(definition: Definition) -> str:
    selection = definition.selection
    parts = {
        "agent": f"{selection.agent} {selection.version}".strip(),
        "model": selection.model,
        "facts of kind": selection.fact_kind,
        "entry": f"“{selection.ledger_entry}”" if selection.ledger_entry else "",
        "importance from": f"{selection.least_importance:g}" if selection.least_importance else "",
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def _by(definition: Definition) -> str:
    group = _GROUP_WORDS.get(definition.group_by, definition.group_by)
    return f"for each {group}" if group else ""


def about_no_data(definition: Definition) -> str:
    """What the rule makes of there being nothing; empty for the usual."""
    return _NO_DATA[definition.no_data]


def told(definition: Definition, interval: Interval) -> str:
    """What an incident says: "coder: 7 facts forgotten per compaction, above 5"."""
    metric = METRICS[definition.metric]
    who = f"{interval.group}: " if interval.group else ""
    what = _what(metric, definition.aggregation)
    if interval.state == SignalState.NO_DATA:
        return f"{who}no data for “{what}” since {said_at(interval.since)}"
    unit = unit_of(metric, definition.aggregation, definition.direction)
    if definition.direction in {Direction.RISES, Direction.FALLS}:
        verb = "rose" if definition.direction == Direction.RISES else "fell"
        return f"{who}{what} {verb} by {amount(interval.peak, unit)}, more than {amount(interval.threshold, unit)}"
    side = _SIDES[definition.direction]
    word = "critical, " if interval.severity == Severity.CRITICAL else ""
    return f"{who}{what} {amount(interval.peak, unit)}, {word}{side} {amount(interval.threshold, unit)}"


def said_at(moment: datetime) -> str:
    """20 Nov 09:15 UTC."""
    return f"{moment:%-d %b %H:%M} UTC"


def lasted(interval: Interval, now: datetime) -> str:
    """How long it fired: "40 min", "for 2 h, still"."""
    until = interval.until or now
    minutes = max(until - interval.since, timedelta(0)) // MINUTE
    if minutes >= _MINUTES_COUNT:
        minutes = round(minutes / 60) * 60
    span = length(timedelta(minutes=minutes))
    return span if interval.until else f"{span}, still"
