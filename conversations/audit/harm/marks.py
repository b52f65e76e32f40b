"""Decide by which words a fact is known when it comes up again: rare names that the context no longer holds. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from conversations.audit.model import Fact, Line
from conversations.audit.text import Known, blanked, signs

_NAME_SIGNS = signs("_$@./:#+-")
_RUN = re.compile(r"[\w$@./:#+-]+")
_WHOLE = re.compile(r"[\w$][\w$@./:#+-]{1,158}[\w$]")  # paths, addresses, file.go:43
_LAST = re.compile(r"[\w$][\w$.-]{1,158}[\w$]")  # their last parts, dotted names
_PART = re.compile(r"[\w$]{3,160}")
#: A word that stands in more lines than this share of them says where the work goes on, not which fact this is.
MAX_LINE_SHARE = 0.05
#: But a word of this few lines is always rare enough; short logs have few lines.
FEW_LINES = 4
#: The rarest few decide; more would only ask for the same sentence again.
MAX_MARKS = 6
MIN_MARK = 4
#: Of a fact's own words this much; a fact is a sentence or a line of code.
MAX_QUOTE = 1_000
#: A text longer than this is looked at up to here. A tool result of 2 MB is 800,000 tokens: no context holds more.
MAX_TEXT = 2_000_000


#: How long something took, how big it was and when: they come again by chance, and nobody needs them again.
_PASSING = re.compile(r"[\d.,:/_-]+(?:ms|s|sec|m|min|h|kb|mb|gb|k|%|x)?", re.IGNORECASE)


_JOINT = re.compile(r"[\d_./#$@]|(?<=.)[A-Z]")


def is_mark(token: str) -> bool:
    """Whether a token is a name or value and no word of prose: it has a digit, a joint or an inner capital."""
    if len(token) < MIN_MARK or _PASSING.fullmatch(token):
        return False
    return bool(_JOINT.search(token))


def tokens_of_text(text: str) -> set[str]:
    """Everything in a text that could be a mark, in small letters: whole, by its last part, and in its parts."""
    small = text[:MAX_TEXT].lower()
    plain = blanked(small, _NAME_SIGNS)
    runs = set(_RUN.findall(small) if plain is None else plain.split())
    return set().union(*map(_TOKENS.__getitem__, runs))


def _taken_apart(run: str) -> Iterator[str]:
    """The names in signs without a gap, with their parts."""
    for whole in _WHOLE.findall(run):
        yield whole
        if not whole.isalnum():
            yield from _LAST.findall(whole)
            yield from _PART.findall(whole)


_TOKENS = Known(_taken_apart, longest=160)


class Tokens:
    """The tokens of the lines of one log, each line read once however many signals and controls ask."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], set[str]] = {}

    def of(self, line: Line) -> set[str]:
        """The tokens of a line."""
        place = line.message, line.block
        if place not in self._of:
            self._of[place] = tokens_of_text(line.text)
        return self._of[place]


class Marks:
    """For each fact the words that tell it, and which facts a text brings back.

    `rare`: its names that few lines of the log have; `of`: those of them that the context after no longer has.
    """

    def __init__(self, lines: Sequence[Line], facts: Sequence[Fact], known: str, tokens: Tokens | None = None) -> None:
        tokens = tokens or Tokens()
        names = {fact.id: names_in(fact.quote) for fact in facts}
        every = frozenset[str]().union(*names.values())
        counts = Counter(token for line in lines for token in tokens.of(line) & every)
        most = max(FEW_LINES, round(MAX_LINE_SHARE * len(lines)))
        in_context = tokens_of_text(known)
        self.rare = {fact: frozenset(name for name in found if counts[name] <= most) for fact, found in names.items()}
        self.of: dict[str, tuple[str, ...]] = {}
        self._facts_of: dict[str, list[str]] = {}
        for fact, rare in self.rare.items():
            lost = sorted(rare - in_context, key=lambda name: (counts[name], name))
            self.of[fact] = tuple(lost[:MAX_MARKS])
            for name in self.of[fact]:
                self._facts_of.setdefault(name, []).append(fact)
        self._all = frozenset(self._facts_of)

    def met(self, tokens: set[str]) -> Counter[str]:
        """How many of its marks are among the tokens of a text, by fact id."""
        return Counter(fact for name in tokens & self._all for fact in self._facts_of[name])

    def brought_back(self, met: Counter[str]) -> list[str]:
        """Ids of the facts of which enough marks were met: all of one or two, half of more."""
        return sorted(fact for fact, count in met.items() if count >= enough(len(self.of[fact])))


def enough(marks: int) -> int:
    """How many of a fact's marks must come together to say that it came back."""
    return max(min(marks, 2), (marks + 1) // 2)  # said in the docstring of brought_back


def names_in(quote: str) -> frozenset[str]:
    """The names and values in the words of a fact, in small letters."""
    return _names_in(quote[:MAX_QUOTE])


@lru_cache(maxsize=2_000)  # asked by two signals, after the boundary and in the control
def _names_in(quote: str) -> frozenset[str]:
    found = {*_WHOLE.findall(quote), *_LAST.findall(quote), *_PART.findall(quote)}
    return frozenset(name.lower() for name in found if is_mark(name))
