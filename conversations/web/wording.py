"""Numbers, sizes and times as people read them, and what became of facts as a row of signs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from conversations.web.highlight import Html

_STEPS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600), (86_400 * 60, "d", 86_400))  # up to, unit, seconds
_NOW = 5  # seconds
_KILO = 1000
_TENTHS = 100  # from here on a decimal says nothing
_SHORT = 10_000  # milliseconds
_UNKNOWN = "–"


def tokens(value: int | None) -> str:
    """150212 → "150,212"; unknown → "–"."""
    return _UNKNOWN if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Bytes: 1234567 → "1.2 MB"."""
    amount = float(value or 0)
    for unit in ("B", "kB", "MB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= _TENTHS else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} GB"


def duration(milliseconds: int | None) -> str:
    """61500 → "1 min 2 s"."""
    if milliseconds is None:
        return _UNKNOWN
    if milliseconds < _SHORT:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def ago(moment: datetime | None) -> Html | str:
    """Relative, with the exact time for those who hover or listen."""
    if moment is None:
        return _UNKNOWN
    said = relative(moment, datetime.now(UTC))
    return Html(f'<time datetime="{moment.isoformat()}" title="{moment:%d %B %Y %H:%M:%S} UTC">{said}</time>')


def exact(moment: datetime | None) -> Html | str:
    """20 Nov 2026 09:15."""
    if moment is None:
        return _UNKNOWN
    return Html(f'<time datetime="{moment.isoformat()}">{moment:%-d %b %Y %H:%M}</time>')


def relative(moment: datetime, now: datetime) -> str:
    """5 min ago; a day where that is long ago."""
    seconds = (now - moment).total_seconds()
    if seconds < _NOW:
        return "now"
    for limit, unit, divisor in _STEPS:
        if seconds < limit:
            return f"{int(seconds // divisor)} {unit} ago"
    return f"{moment:%-d %b %Y}"


def words(value: str) -> str:
    """tool_clear → "tool clear"."""
    return str(value).replace("_", " ")


def how(kind: str, trigger: str) -> str:
    """What compacted, and why then: "client, auto", "truncation, trigger unknown"; "threshold" says both."""
    if trigger == kind:
        return words(kind)
    return f"{words(kind)}, {'trigger unknown' if trigger == 'unknown' else trigger}"


def cut(text: str, most: int) -> str:
    """At most so many characters, the last one "…" where something is left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


# --- what became of facts ---------------------------------------------------------------------------------------------

#: (class, sign, word, more of it for those who hover) by the name of the count.
_SIGNS = {
    "harmful": ("harm", "!", "did harm", " afterwards"),
    "forgotten": ("forgotten", "✕", "forgotten", ""),
    "altered": ("altered", "≈", "altered", ""),
    "kept": ("kept", "✓", "kept", ""),
    "added": ("added", "+", "added", ": in the summary, never said"),
}
_ONLY_WHERE_SEEN = {"harmful", "added"}
LOSSES = ("harmful", "forgotten", "altered")
ALL_COUNTS = tuple(_SIGNS)


def tally(counts: object, names: Sequence[str] = ALL_COUNTS) -> Html:
    """The counts of these names with their signs. Built here: as a template, in 50 rows, it took 5 ms."""
    found = [(name, getattr(counts, name)) for name in names]
    shown = [(name, count) for name, count in found if count or name not in _ONLY_WHERE_SEEN]
    return Html(" ".join(_counted(name, count, last=name == shown[-1][0]) for name, count in shown))


def _counted(name: str, count: int, *, last: bool) -> str:
    css, sign, word, more = _SIGNS[name]
    said = f'<span class="hidden-word"> {word}{"" if last else ","}</span>'
    return (
        f'<span class="tally {css if count else "none"}" title="{word}{more}">'
        f'<span aria-hidden="true">{sign}</span> {count:,}{said}</span>'
    )
