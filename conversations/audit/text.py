"""What counts as a word, a stem and a sentence: linear-time reading of any text, with offsets into it.

Every pattern here is a flat alternation without nested repetition, so time grows with length only; everything that is
compared is cut to a bound first, because a log may hold a line of 100 MB.
"""

import re
import string
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

#: A sentence longer than this is cut at a space. The longest human-labelled fact has 400 characters.
MAX_SENTENCE = 600
#: Words that have an ending to take off: shorter ones are all root, longer ones are data.
SHORTEST, LONGEST = 4, 40
#: Endings that may stand behind each other: "implement-ation-s".
ENDINGS = 4
#: Of texts up to this length it is remembered what they say.
SHORT = 1_000
#: Signs of a gram.
GRAM = 4

_STOP_WORDS = frozenset(
    """
    a an the and or but nor so yet if then else than that this these those it its he she they them their his her we us
    our you your i me my mine who whom whose which what when where why how is are was were be been being am do does did
    done doing has have had having will would shall should can could may might must to of in on at by for from with
    about into onto over under out up down off again further also as not no there here all any each both few more most
    other some such only own same too very just s t re ve ll d m don doesn didn isn aren wasn weren won can cannot via
    per while during after before because until through between above below
    """.split()  # noqa: SIM905 -- a list of 150 strings is no easier to read
)

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"\d+|[{_CJK}]|[^\W\d_{_CJK}]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+")
#: Letters and digits that stand together.
RUN = re.compile(r"[^\W_]+")
_FOREIGN = re.compile(r"[^\x00-\x7f\W]")


def signs(kept: str = "") -> bytes:
    """A table for `blanked`: ASCII letters and digits stay, and what is `kept` besides."""
    return bytes(code if chr(code) in string.ascii_letters + string.digits + kept else 32 for code in range(256))


_LETTERS_AND_DIGITS = signs()
_LETTERS_DIGITS_AND_LINES = signs("\n")


def blanked(text: str, table: bytes) -> str | None:
    """`text` with a space for all signs that `table` does not keep. None where letters or digits of it are not ASCII.

    To blank and split takes half the time of a pattern.
    """
    if not text.isascii() and _FOREIGN.search(text):
        return None
    return text.encode("ascii", "replace").translate(table).decode()


class Known(dict[str, tuple[str, ...]]):
    """What is made of a run of letters and digits, kept from text to text: of 55,000 runs of a log 4,300 differ."""

    #: Runs that are kept; beyond that everything is forgotten at once.
    MOST = 100_000

    def __init__(self, make: Callable[[str], Iterator[str]], longest: int = 64) -> None:
        self._make, self._longest = make, longest  # a longer run is data, and never comes again

    def __missing__(self, run: str) -> tuple[str, ...]:
        made = tuple(self._make(run))
        if len(run) <= self._longest:
            if len(self) >= self.MOST:
                self.clear()
            self[run] = made
        return made


def _split(text: str) -> list[str]:
    """The runs of letters and digits of a text, in order."""
    plain = blanked(text, _LETTERS_AND_DIGITS)
    return RUN.findall(text) if plain is None else plain.split()


def _stems_of(run: str) -> Iterator[str]:
    """The stems of one run: letters and digits apart, camelCase taken apart, one per CJK sign."""
    for part in WORD.findall(run):
        if part.isascii() and not (part.islower() or part.isupper() or part.istitle() or part.isdigit()):
            yield from (stem(hump.lower()) for hump in _HUMP.findall(part))
        else:
            yield stem(part.lower())


_STEMS = Known(_stems_of)
_TELLING = Known(lambda run: (stem for stem in _STEMS[run] if stem not in STOP))
_FLAT = Known(lambda run: (part.lower() for part in WORD.findall(run)))


def stems(text: str, limit: int | None = None) -> list[str]:
    """The stems of `text[:limit]` in order, with repeats: of runs of letters or of digits, camelCase taken apart."""
    return list(_looked_up(_STEMS, text if limit is None else text[:limit]))


def content_stems(text: str, limit: int | None = None) -> list[str]:
    """The stems that carry meaning, in order, with repeats."""
    return list(_telling(text if limit is None else text[:limit]))


def bag(text: str) -> set[str]:
    """The content stems of a text without order."""
    return set(_telling(text))


def _telling(text: str) -> Sequence[str]:
    return _telling_short(text) if len(text) <= SHORT else list(_looked_up(_TELLING, text))


@lru_cache(maxsize=8_000)  # a fact is read by merging, matching, ranking and three signs of harm
def _telling_short(text: str) -> tuple[str, ...]:
    return tuple(_looked_up(_TELLING, text))


def _looked_up(known: Known, text: str) -> Iterator[str]:
    """What is known of each run of a text, in order."""
    return chain.from_iterable(map(known.__getitem__, _split(text)))


def line_bags(text: str, longest: int) -> Iterator[set[str]]:
    """The content stems of each line of a text that is not empty; a line longer than `longest` counts as several.

    In one pass over the text: line by line takes twice the time, and a log has 6,000 of them.
    """
    plain = blanked(text, _LETTERS_DIGITS_AND_LINES)
    pieces = (line[at : at + longest] for line in (plain or text).split("\n") for at in range(0, len(line), longest))
    for piece in pieces:
        runs = RUN.findall(piece) if plain is None else piece.split()
        yield set(chain.from_iterable(map(_TELLING.__getitem__, runs)))


#: Suffixes in the order they are tried, with what replaces them and the shortest stem that may remain.
_SUFFIXES = (
    ("ification", "ifi", 2),
    ("ified", "ifi", 2),
    ("ifying", "ifi", 2),
    ("ization", "iz", 3),
    ("isation", "iz", 3),
    ("ising", "iz", 4),
    ("ised", "iz", 4),
    ("ise", "iz", 4),
    ("ation", "at", 3),
    ("iness", "i", 3),
    ("ness", "", 4),
    ("ment", "", 4),
    ("ity", "", 4),
    ("tion", "t", 3),
    ("sion", "s", 3),
    ("ing", "", 3),
    ("ied", "i", 2),
    ("ed", "", 3),
    ("able", "", 4),
    ("ally", "al", 3),
    ("ly", "", 4),
    ("er", "", 4),
    ("or", "", 5),
    ("y", "i", 2),
    ("e", "", 3),
    ("at", "", 6),
)


#: Forms that no rule of endings brings together, each line led by the form they all become.
_FORMS = """
be am is are was were been being|have has had having|do does did done doing|go goes went gone going|say says said|
make makes made making|get gets got gotten getting|take takes took taken taking|give gives gave given giving|
find finds found finding|think thinks thought|know knows knew known|see sees saw seen|come comes came coming|
run runs ran running|write writes wrote written writing|begin began begun|break broke broken|build builds built|
bring brought|buy bought|catch caught|choose chose chosen choosing|drive drove driven|fall fell fallen|feel felt|
hold held|keep kept|leave left|lose lost losing|mean meant|meet met|pay paid|rise rose risen|send sent|show shown|
speak spoke spoken|spend spent|stand stood|steal stole stolen|teach taught|tell told|throw threw thrown|
understand understood|win won|wear wore worn|fly flew flown|grow grew grown|hide hid hidden|hear heard|lead led|
use uses used using|fail fails failed failing failure failures|decide decides decided deciding decision decisions|
remove removes removed removing removal|summary summaries summarise summarize summarised summarized|
child children|man men|woman women|person people|die dies died dying death dead|kill kills killed killing|
1 one once|2 two twice|3 three|4 four|5 five|6 six|7 seven|8 eight|9 nine|10 ten|11 eleven|12 twelve|
colour color colours colors|behaviour behavior behaviours behaviors|centre center centres centers
"""
_IRREGULAR = {form: forms[0] for line in _FORMS.split("|") if (forms := line.split()) for form in forms}


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The lower-case `word` without its ending, so that "verified" meets "verification". Other alphabets stay."""
    word = _IRREGULAR.get(word, word)
    if not (SHORTEST <= len(word) <= LONGEST and word.isascii()):
        return word
    word = _singular(word)
    for _ in range(ENDINGS):
        shorter = _shortened(word)
        if shorter == word:
            break
        word = shorter
    return word


def _shortened(word: str) -> str:
    """Take one ending off."""
    for suffix, instead, shortest in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= shortest:
            return _undouble(word[: -len(suffix)] + instead)
    return word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > SHORTEST:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _undouble(root: str) -> str:
    """Turn "runn" into "run"; "call" stays, since l, s and z are doubled in their own right."""
    if len(root) >= SHORTEST and root[-1] == root[-2] and root[-1] not in "aeioulsz":
        return root[:-1]
    return root


#: Words that carry no meaning of their own, as they are written and as stems.
STOP: frozenset[str] = _STOP_WORDS | frozenset(map(stem, _STOP_WORDS))

# --- sentences ------------------------------------------------------------------------------------------------------


class Sentence(NamedTuple):
    """`text[start:end]` reads as one statement."""

    start: int
    end: int


_LINE = re.compile(r"[^\n]+")
_FENCE = re.compile(r"[ \t]{0,12}(?:```|~~~)")
_MARK = re.compile(r"[ \t>]{0,40}(?:(?:[-*+•]|\d{1,3}[.)]|\[[ xX]\]|#{1,6})[ \t]{1,8}){0,3}")
_STOP_MARK = re.compile(r"[.!?][\"'”’)\]*_`]{0,4}[ \t]{1,4}(?=[A-Z0-9\"'“‘(\[*_`\-–—✅❌]|[^\x00-\x7f])|[。！？]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|resp|no|fig|mr|mrs|dr|st)|(?:^|\s)[A-Za-z0-9])\.$", re.IGNORECASE
)


def sentences(text: str) -> Iterator[Sentence]:
    """Give the statements of `text` in order, never overlapping, without list markers, heading signs and fences.

    A line inside a fence is one statement, as is a table's row.
    """
    fenced = False
    for line in _LINE.finditer(text):
        start, end = line.span()
        if _FENCE.match(text, start, end):
            fenced = not fenced
        elif fenced:
            yield from _cut(text, start, end)
        else:
            mark = _MARK.match(text, start, end)
            yield from _statements(text, mark.end() if mark else start, end)


def _statements(text: str, start: int, end: int) -> Iterator[Sentence]:
    for stop in _STOP_MARK.finditer(text, start, end):
        if not _ABBREVIATION.search(text, max(start, stop.start() - 8), stop.start() + 1):
            yield from _cut(text, start, stop.end())
            start = stop.end()
    yield from _cut(text, start, end)


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Trim spaces, and take what is too long to be a statement in pieces, cut at a space where there is one."""
    while start < end:
        stop = end
        if end - start > MAX_SENTENCE:
            space = text.rfind(" ", start + 1, start + MAX_SENTENCE)
            stop = space if space > start else start + MAX_SENTENCE
        left, right = _trimmed(text, start, stop)
        if left < right:
            yield Sentence(left, right)
        start = stop


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


# --- comparing ------------------------------------------------------------------------------------------------------


def grams(text: str) -> set[Hashable]:
    """The character 4-grams of a text, as a set; of a shorter text, the text.

    Four ASCII signs are the bytes of one number, and memory is cut into numbers five times faster than text into texts.
    """
    if len(text) < GRAM:
        return {text}
    if text.isascii():
        found, written = set[Hashable](), memoryview(text.encode())
        for start in range(GRAM):
            found.update(written[start : start + (len(text) - start) // GRAM * GRAM].cast("I").tolist())
        return found
    return {_gram(text[start : start + GRAM]) for start in range(len(text) - GRAM + 1)}


def _gram(text: str) -> Hashable:
    return int.from_bytes(text.encode(), sys.byteorder) if text.isascii() else text


def flat(text: str, limit: int | None = None) -> str:
    """Lower-case words joined by single spaces: equal for texts that differ in markup, punctuation and case only."""
    return " ".join(_looked_up(_FLAT, text if limit is None else text[:limit]))
