"""Find the exact values of a summary that occur nowhere in what it covers: paths, hashes, versions, numbers. Pure."""

import re
from bisect import insort
from collections.abc import Callable, Iterator

from conversations.audit.sources import FENCE, Sources, Statement, canonical_number, overlaps

_URL = re.compile(r"https?://[^\s`'\"<>)\]}]+")
#: Absolute, or with an extension, or of three parts: "pros/cons" and "read/write" are words.
_PATH = re.compile(
    r"(?<![\w/.@$:-])(?:~?/(?:[\w.@-]+/)+[\w.@-]*\w|(?:[\w.@-]+/){2,}[\w.@-]*\w|(?:[\w.@-]+/)+[\w@-]+\.[A-Za-z]\w{0,5}\b)"
)
_FILE = re.compile(r"(?<![\w/.@$*<{-])[\w-]{2,80}(?:\.[\w-]{1,40}){0,3}\.[A-Za-z][A-Za-z0-9]{0,5}(?![\w/(])")
_HASH = re.compile(r"(?<![\w/.-])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?![\w-])")
_DOTTED = re.compile(r"(?<![\w.])v?\d{1,6}(?:\.\d{1,6}){2,3}(?![\w.]*\w)")
_NUMBER = re.compile(r"(?<![\w.,/#:-])(?:\d{1,3}(?:,\d{3})+|\d{3,9})(?:\.\d+)?(?![\w,%/-]|\.\d)")
#: What follows is a suggestion, not something that is said to be there.
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor example|\bsuch as|\bsomething like|\blike|\bcalled|\bnamed|≈|~|\babout|\baround|"
    r"\bapprox\w*\.?)[,:]?\s*[`\"'(*]*$",
    re.IGNORECASE,
)
#: Pieces of a name shorter than this prove nothing by standing somewhere else.
MIN_PIECE = 10


def unseen_values(summary: str, sources: Sources) -> Iterator[Statement]:
    """Values outside code fences, each where it stands; a value inside a longer one is part of that."""
    taken = [match.span() for match in FENCE.finditer(summary)]
    for noun, pattern, is_seen in _VALUES:
        for match in pattern.finditer(summary):
            if overlaps(*match.span(), taken):
                continue
            insort(taken, match.span())
            if is_seen(match.group(), sources) or _EXAMPLE.search(summary, max(0, match.start() - 30), match.start()):
                continue
            reason = f"This {noun} occurs nowhere in what the summary covers."
            yield Statement(*match.span(), reason, 0.8)


def _seen_path(value: str, sources: Sources) -> bool:
    """Whether each part was seen: the agent joins what it saw ("cd api", "src/x.ts") and that is no invention."""
    parts = re.findall(r"[a-z0-9_$@%+~.-]{2,200}", value.casefold().split("?")[0])
    return all(_seen_name(part, sources) for part in parts)


def _seen_name(part: str, sources: Sources) -> bool:
    bare = part.strip(".-~+")
    return not bare or part in sources.tokens or bare in sources.tokens or _is_derived(bare, sources)


def _is_derived(name: str, sources: Sources) -> bool:
    """Whether it is the end of a longer name ("condensation.go"), or made of long pieces that were seen.

    The second is for logs whose paths were blanked out before we got them: the class in the file names the file.
    """
    if sources.ends_a_name(name):
        return True
    pieces = re.split(r"[-_.]", name)
    return max(map(len, pieces)) >= MIN_PIECE and all(sources.within_a_name(piece) for piece in pieces)


def _seen_hash(value: str, sources: Sources) -> bool:
    return sources.has_hash(value)


def _seen_dotted(value: str, sources: Sources) -> bool:
    bare = value.lstrip("v")
    return bare in sources.numbers or bare in sources.tokens or value in sources.tokens


def _seen_number(value: str, sources: Sources) -> bool:
    """Take a round number for an estimate of something that was seen."""
    number = canonical_number(value)
    return number in sources.numbers or number in sources.tokens or number.endswith("00")


_VALUES: tuple[tuple[str, re.Pattern[str], Callable[[str, Sources], bool]], ...] = (
    ("address", _URL, _seen_path),
    ("path", _PATH, _seen_path),
    ("hash", _HASH, _seen_hash),
    ("version or address", _DOTTED, _seen_dotted),
    ("file name", _FILE, _seen_path),
    ("number", _NUMBER, _seen_number),
)
