"""Exact things in a text (paths, hashes, numbers with units, names …), each in one form for all its spellings.

The same extractor reads the source and the summary; two entities are the same thing when `same(a, b)` says so.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class EntityKind(StrEnum):
    """What sort of exact thing it is."""

    URL = "url"
    PATH = "path"
    HASH = "hash"
    PORT = "port"
    ISSUE = "issue"
    VERSION = "version"
    ENV = "env"  # UPPER_SNAKE names: environment variables and constants
    SYMBOL = "symbol"
    FLAG = "flag"  # --option
    NUMBER = "number"
    PERCENT = "percent"
    DURATION = "duration"  # canonical: seconds
    SIZE = "size"  # canonical: bytes
    DATE = "date"
    QUOTED = "quoted"


class Entity(NamedTuple):
    """`text[start:end]`, which is `value` in canonical form. `unit`: what a number counts, as a lower-case word."""

    kind: EntityKind
    value: str
    start: int
    end: int
    unit: str = ""


#: Kinds whose value can be misquoted: the same key with another value is a distortion, not another thing.
MEASURES = frozenset(
    {EntityKind.NUMBER, EntityKind.PERCENT, EntityKind.DURATION, EntityKind.SIZE, EntityKind.PORT, EntityKind.VERSION,
     EntityKind.DATE}
)  # fmt: skip

#: Signs of a hash that are enough to tell it from others, as git shows them.
SHORTEST_HASH = 7
#: A figure of so many digits is the same thing whatever noun follows it ("241 tests", "241 crypto tests").
TELLING = 3
#: "a/b" is no path worth the name; what a number counts has three letters or more; a URL with so few strokes is a host.
SHORTEST_PATH, SHORTEST_NOUN, BARE_HOST = 4, 3, 3

# A chunk is what stands between spaces, quotes and brackets. 300 characters hold any path or URL worth comparing.
_CHUNK = re.compile(r"[^\s\"'`<>()\[\]{},;|“”‘’]{2,300}")
_PIECE = re.compile(r"[^=]+")
_QUOTES = frozenset("`'\"")
_DIGIT = re.compile(r"\d")
_TELLING = re.compile(r"[0-9/\\_.#:-]|[a-z][A-Z]|[A-Z]{2}")
_LINE_SUFFIX = re.compile(r"(?::\d+(?:[-:]\d+)?|#L\d+(?:-L?\d+)?)$")
#: A line as grep lists it: path, number, content.
_LISTED = re.compile(r"([^:]{2,250}:\d{1,7})[:-](?=\D)")
#: Two words with a stroke between them ("client/server"), and initials ("e.g", "U.S"): no names unless quoted.
_PLAIN = re.compile(r"[A-Za-z]?[a-z]{0,20}/[a-z]{1,20}|(?:[A-Za-z]\.){1,4}[A-Za-z]")
#: A backslash is a separator only where a drive or a file ending says so; else it is an escape.
_BACKSLASHED = re.compile(r"[A-Za-z]:\\[^\s:]{1,300}|(?:[\w.@-]{1,80}\\{1,2}){1,20}[\w@-]{1,80}\.[A-Za-z0-9]{1,8}")
_URL = re.compile(r"(?:https?|wss?|ftp|ssh|git|postgres(?:ql)?|redis|mysql|mongodb)://\S+")
_PORT = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|[\w-]+(?:\.[\w-]+)*)?:(\d{2,5})(?:/\S*)?")
_HASH = re.compile(
    r"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}|[0-9a-f]{8}(?:-[0-9a-f]{4,12}){2,4}", re.IGNORECASE
)
_RANGE = re.compile(r"([0-9a-f]{7,40})\.{2,3}([0-9a-f]{7,40})", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T[\d:.]*Z?)?|(\d{4})/(\d{2})/(\d{2})")
_VERSION = re.compile(r"v?(\d+(?:\.\d+){2,4}(?:[-+.][0-9A-Za-z.]+)?)|v(\d+(?:\.\d+)?)", re.IGNORECASE)
_ISSUE = re.compile(r"#([1-9]\d{0,5})|GH-(\d+)|([A-Z]{2,10}-\d{1,6})")
_ENV = re.compile(r"\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\}?")
_FLAG = re.compile(r"--[a-zA-Z][\w-]*")
_FILE = re.compile(r"\.?[\w@+-][\w.@+-]*\.[A-Za-z][A-Za-z0-9]{0,9}|\.[a-z][\w.-]+")
_SYMBOL = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)*(?:\(\))?", re.ASCII)
_NUMBER = re.compile(
    r"(?<![\w.#/-])(?P<sign>[$€£])?(?P<digits>\d{1,3}(?:[,_]\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,9})?)"
    r"(?P<gap>[ \u00a0-]?)(?P<unit>%|[A-Za-zµ]{1,20})?(?!\w)(?![\w/]{0,40}[/\\])"
)
_QUOTED = re.compile(
    r"`([^`\n]{2,120})`|\"([^\"\n]{2,120})\"|“([^”\n]{2,120})”|‘([^’\n]{2,80})’|(?<!\w)'([^'\n]{2,80})'(?!\w)"
)

_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_NAMED_DATE = re.compile(
    r"\b([A-Z][a-z]{2})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b"
    r"|\b(\d{1,2}) ([A-Z][a-z]{2})[a-z]{0,6} (\d{4})\b"
)

_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
            "hour": 3600, "d": 86400, "day": 86400, "week": 604800}  # fmt: skip
_BYTES = {"b": 1, "byte": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SCALE = {"k": 1e3, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_CODE_SUFFIX = frozenset(["com", "org", "net", "io", "dev", "ai"])


def entities(text: str, cwd: str = "", *, quoted: bool = True) -> list[Entity]:
    """The entities of `text` by place. Spans of different kinds may overlap only where one is a quoted string.

    `quoted`: quoted strings, too.
    """
    found = list(_chunks(text, cwd))
    if _DIGIT.search(text):
        found += _dates(text)
        taken = sorted((e.start, e.end) for e in found)
        found += [e for e in _numbers(text) if not _inside(e, taken)]
    if quoted:
        found += _quoted(text, {(e.start, e.end) for e in found})
    return sorted(found, key=lambda e: (e.start, e.end))


def same(a: Entity, b: Entity) -> bool:
    """Whether both name the same thing: paths by suffix, hashes by prefix (7 or more), all else by canonical value."""
    if a.kind is EntityKind.PATH and b.kind is EntityKind.PATH:
        return suffix_of(a.value, b.value) or suffix_of(b.value, a.value)
    if a.kind is EntityKind.HASH and b.kind is EntityKind.HASH:
        return min(len(a.value), len(b.value)) >= SHORTEST_HASH and (
            a.value.startswith(b.value) or b.value.startswith(a.value)
        )
    if a.kind in MEASURES and b.kind in MEASURES:
        telling = len(a.value) >= TELLING or a.unit == b.unit or not a.unit or not b.unit
        return a.kind is b.kind and a.value == b.value and telling
    return a.value == b.value


def key(entity: Entity) -> str:
    """What all spellings of the same entity have in common: a path's last part, a hash's first seven signs."""
    if entity.kind is EntityKind.PATH:
        return entity.value.rpartition("/")[2]
    return entity.value[:SHORTEST_HASH] if entity.kind is EntityKind.HASH else entity.value


def suffix_of(short: str, long: str) -> bool:
    """Whether the path `short` is the end of the path `long`, at a folder's edge."""
    return long == short or long.endswith("/" + short)


def _chunks(text: str, cwd: str) -> Iterator[Entity]:
    for match in _CHUNK.finditer(text):
        start = match.start()
        for found in _of_chunk(match.group(), cwd, start > 0 and text[start - 1] in _QUOTES):
            yield Entity(found.kind, found.value, start + found.start, start + found.end)


@lru_cache(maxsize=50_000)
def _of_chunk(chunk: str, cwd: str, quoted: bool) -> tuple[Entity, ...]:
    """The entities of one chunk, with places in it. Words and names recur: of 35,600 chunks of facts 8,400 differ."""
    if not _TELLING.search(chunk):
        return ()
    pieces = [(chunk, 0)] if "://" in chunk else [(piece.group(), piece.start()) for piece in _PIECE.finditer(chunk)]
    return tuple(entity for piece, start in pieces for entity in _of_piece(piece, start, cwd, quoted=quoted))


def _of_piece(piece: str, start: int, cwd: str, *, quoted: bool) -> Iterator[Entity]:
    """Read one piece of text between spaces, quotes, brackets and equals signs, which begins at `start`."""
    bare = piece.rstrip(".:!?*…")
    if listed := _LISTED.match(bare):
        bare = listed.group(1)
    lead = len(bare) - len(bare.lstrip("*@~" if "/" not in bare else "*"))
    bare, start = bare[lead:], start + lead
    if between := _RANGE.fullmatch(bare):
        for group in (1, 2):
            first, last = between.span(group)
            yield Entity(EntityKind.HASH, between.group(group).lower(), start + first, start + last)
    elif len(bare) > 1 and (quoted or not _PLAIN.fullmatch(bare)) and (named := _named(bare, cwd)):
        yield Entity(named[0], named[1], start, start + len(bare))


def _named(chunk: str, cwd: str) -> tuple[EntityKind, str] | None:
    """Kind and canonical value of one chunk, or None when it is a plain word or number."""
    for pattern, kind in ((_URL, EntityKind.URL), (_DATE, EntityKind.DATE), (_HASH, EntityKind.HASH),
                          (_VERSION, EntityKind.VERSION), (_ISSUE, EntityKind.ISSUE), (_FLAG, EntityKind.FLAG),
                          (_ENV, EntityKind.ENV)):  # fmt: skip
        if match := pattern.fullmatch(chunk):
            return kind, _canonical(kind, chunk, match)
    if (match := _PORT.fullmatch(chunk)) and ("localhost" in chunk or chunk[0] in ":0123456789"):
        return EntityKind.PORT, match.group(1)
    return _path(chunk, cwd) or _symbol(chunk)


def _canonical(kind: EntityKind, chunk: str, match: re.Match[str]) -> str:
    groups = [g for g in match.groups() if g]
    if kind is EntityKind.URL:
        return chunk.rstrip("/").lower() if chunk.count("/") <= BARE_HOST else chunk.rstrip("/")
    if kind is EntityKind.DATE:
        return "-".join(groups)
    if kind in (EntityKind.VERSION, EntityKind.ISSUE, EntityKind.ENV):
        return groups[0]
    return chunk.lower() if kind is EntityKind.HASH else chunk


def path_value(chunk: str, cwd: str = "") -> str:
    """The canonical form of a path: forward slashes, relative to `cwd` where inside it, without `./` and `:12`."""
    value = _LINE_SUFFIX.sub("", chunk).replace("\\\\", "/").replace("\\", "/")
    base = cwd.replace("\\", "/").rstrip("/")
    if base and value.startswith(base + "/"):
        value = value[len(base) + 1 :]
    return value.removeprefix("./").removeprefix("~/").strip("/")


def _path(chunk: str, cwd: str) -> tuple[EntityKind, str] | None:
    bare = _LINE_SUFFIX.sub("", chunk)
    if "/" in bare or _BACKSLASHED.fullmatch(bare):
        value = path_value(chunk, cwd)
        parts = value.split("/")
        if (
            len(value) >= SHORTEST_PATH
            and all(parts)
            and any(len(p) > 1 for p in parts)
            and not value.replace("/", "").isdigit()
        ):
            return EntityKind.PATH, value
        return None
    if _FILE.fullmatch(bare) and not bare[0].isdigit() and bare.rpartition(".")[2].lower() not in _CODE_SUFFIX:
        stem, _, ending = bare.rpartition(".")
        if ending.islower() or ending.isdigit() or not stem:
            return EntityKind.PATH, bare
    return None


def _symbol(chunk: str) -> tuple[EntityKind, str] | None:
    """camelCase, Pascal-Case of two humps, snake_case, dotted or called names."""
    if not _SYMBOL.fullmatch(chunk):
        return None
    name = chunk.removesuffix("()")
    humps = re.search(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]", name)
    if chunk.endswith("()") or humps or "::" in name or "->" in name or "_" in name.strip("_") or "." in name:
        return EntityKind.SYMBOL, name
    return None


def _dates(text: str) -> Iterator[Entity]:
    for match in _NAMED_DATE.finditer(text):
        a = match.groups()
        month, day, year = (a[0], a[1], a[2]) if a[0] else (a[4], a[3], a[5])
        if number := _MONTHS.get(month.lower()):
            yield Entity(EntityKind.DATE, f"{year}-{number:02}-{int(day):02}", match.start(), match.end())


def _numbers(text: str) -> Iterator[Entity]:
    for match in _NUMBER.finditer(text):
        number = float(match["digits"].replace(",", "").replace("_", ""))
        unit, gap = "million" if match["unit"] == "M" else (match["unit"] or "").lower(), match["gap"]
        end = match.end() if unit else match.end("digits")
        kind, value, unit = _measured(number, unit, gap, match["sign"] or "")
        if not unit and kind is EntityKind.NUMBER and gap:
            end = match.end("digits")
        yield Entity(kind, f"{value:.10g}", match.start(), end, unit)


def _measured(number: float, unit: str, gap: str, sign: str) -> tuple[EntityKind, float, str]:
    """Kind, value in the base unit and unit of a number as written."""
    single = unit.removesuffix("s") if unit not in {"s", "ms"} else unit
    if unit in {"%", "percent"}:
        return EntityKind.PERCENT, number, ""
    if single in _SECONDS and (len(single) > 1 or not gap or single in "sh"):
        return EntityKind.DURATION, number * _SECONDS[single], ""
    if single in _BYTES and (len(single) > 1 or not gap):
        return EntityKind.SIZE, number * _BYTES[single], ""
    if single in _SCALE and (len(single) > 1 or not gap):
        return EntityKind.NUMBER, number * _SCALE[single], sign
    return EntityKind.NUMBER, number, sign or (single if len(single) >= SHORTEST_NOUN else "")


def _quoted(text: str, taken: set[tuple[int, int]]) -> Iterator[Entity]:
    for match in _QUOTED.finditer(text):
        group = next(i for i in range(1, 6) if match.group(i))
        start, end = match.span(group)
        if (start, end) not in taken:
            yield Entity(EntityKind.QUOTED, " ".join(match.group(group).split()).casefold(), start, end)


def _inside(entity: Entity, taken: list[tuple[int, int]]) -> bool:
    """Whether an entity overlaps one of the spans `taken`, which are sorted and do not overlap each other."""
    at = bisect_left(taken, (entity.end,))
    return at > 0 and taken[at - 1][1] > entity.start
