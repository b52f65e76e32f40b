"""What was there to be summarised, indexed once: words, values, and who said which run of words. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conversations.audit.model import Author, Line
from conversations.audit.text import signs
from conversations.vocabulary import Role

#: Code in a text.
FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,64}(?![0-9a-z])")
_NUMBER = re.compile(r"\d[\d,_']*(?:\.\d+)*")
_SEPARATORS = str.maketrans("", "", ",_'")
_TOKEN_SIGNS = signs("_$@%+~.-")
LONGEST_TOKEN = 200
#: Three words in a row: two words agree by chance in a long log, four miss too much of a short quote.
GRAM = 3
#: What the tools that ask the user answer with: the words in it are the user's.
_USER_ANSWERED = re.compile(
    r"user (?:has )?(?:answered|said|provided|selected|chose)|doesn't want to (?:proceed|take)|user's answers?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """`summary[start:end]` has no source."""

    start: int
    end: int
    reason: str  # one sentence for people
    probability: float  # that it is not just out of our sight


def words(text: str) -> list[str]:
    """The words of a text, in small letters, without any signs."""
    return _WORD.findall(text.casefold())


def plain(line: Line) -> str:
    """The text of a line with the escapes of JSON undone that would glue a letter to a word."""
    if line.author is not Author.TOOL_INPUT:
        return line.text
    return _ESCAPE.sub(lambda match: " " if match.group(1) in "nrt" else match.group(1), line.text)


def grams(said: Sequence[str]) -> Iterator[int]:
    """Hashes of every run of three words: strings of 400,000 characters would cost 20 MB, their hashes 3 MB."""
    for index in range(len(said) - GRAM + 1):
        yield hash((said[index], said[index + 1], said[index + 2]))


def is_users(line: Line) -> bool:
    """Whether the words may be the user's own: their turns, queued ones, and their answers to a tool that asked."""
    if line.author in (Author.USER, Author.PASTED) or (line.role is Role.USER and line.author is Author.HARNESS):
        return True
    return line.author is Author.TOOL_RESULT and bool(_USER_ANSWERED.search(line.text[:2000]))


class Sources:
    """Everything a summary could have drawn on."""

    def __init__(self, lines: Iterable[Line], extra: str = "") -> None:
        self.lines = list(lines)
        self._extra = extra

    @cached_property
    def _texts(self) -> list[str]:
        return [plain(line) for line in self.lines] + [self._extra]

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Path components, names and numbers, in small letters, each also without its last extension or full stop."""
        found: set[str] = set()
        for text in self._texts:  # what is not ASCII parts tokens, as a blank does
            found.update(text.casefold().encode("ascii", "replace").translate(_TOKEN_SIGNS).decode().split())
        found = {token for token in found if 2 <= len(token) <= LONGEST_TOKEN}
        return frozenset(found | {token.strip(".-~+") for token in found})

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word."""
        return frozenset(word for text in self._texts for word in words(text))

    @cached_property
    def _hexes(self) -> list[str]:
        return sorted({value for text in self._texts for value in _HEX.findall(text.casefold())})

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Every number, without its separators."""
        return frozenset(canonical_number(value) for text in self._texts for value in _NUMBER.findall(text))

    @cached_property
    def users(self) -> frozenset[int]:
        """Runs of three words that the user said."""
        return self._grams(line for line in self.lines if is_users(line) or line.author is Author.SUMMARY)

    @cached_property
    def agents(self) -> frozenset[int]:
        """Runs of three words that the agent said: prose, thinking and what it gave to tools."""
        mine = (Author.ASSISTANT, Author.THINKING, Author.TOOL_INPUT)
        return self._grams(line for line in self.lines if line.author in mine)

    @cached_property
    def tools(self) -> frozenset[int]:
        """Runs of three words that stand in a tool result or in the harness's own wrapping."""
        return self._grams(line for line in self.lines if line.author is Author.TOOL_RESULT) | frozenset(
            grams(words(self._extra))
        )

    def _grams(self, lines: Iterable[Line]) -> frozenset[int]:
        return frozenset(gram for line in lines for gram in grams(words(plain(line))))

    @cached_property
    def _names(self) -> str:
        return "\n".join(self.tokens) + "\n"

    def ends_a_name(self, part: str) -> bool:
        """Whether some longer name ends with it, after a joint."""
        return any(f"{joint}{part}\n" in self._names for joint in "_-.")

    def within_a_name(self, part: str) -> bool:
        """Whether some name contains it."""
        return part in self._names

    def has_hash(self, value: str) -> bool:
        """Whether a hash was seen, written shorter or longer."""
        value = value.casefold()
        at = bisect_left(self._hexes, value)
        if at < len(self._hexes) and self._hexes[at].startswith(value):
            return True
        return any(value.startswith(shorter) for shorter in self._hexes[max(0, at - 3) : at])


def overlaps(start: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    """Whether a span overlaps one of the spans `taken`, which are sorted and do not overlap each other."""
    at = bisect_left(taken, (end,))
    return at > 0 and taken[at - 1][1] > start


def canonical_number(value: str) -> str:
    """Take the separators out: 12,345 and 12_345 are 12345, and 3.0 stays."""
    return value.translate(_SEPARATORS).rstrip(".")


def share(gram_list: Sequence[int], known: frozenset[int]) -> float:
    """The part of the runs that is known, 0 to 1; 1.0 for a text too short to have a run."""
    return sum(gram in known for gram in gram_list) / len(gram_list) if gram_list else 1.0
