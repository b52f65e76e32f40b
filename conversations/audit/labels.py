"""Labels ("L2", "Option A") whose meaning a summary lost, or that it counts among what was all done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from conversations.audit import presence
from conversations.audit.modality import UNDONE
from conversations.audit.model import Detail, Judgement
from conversations.audit.passages import PassageIndex, bounded
from conversations.audit.text import bag, flat
from conversations.vocabulary import Outcome

#: A meaning is gone when the passages that name its label carry less than this share of it …
NAMED_ALONE = 0.25
#: … and the rest of the summary is no more likely than this to tell it in other words.
TOLD_ELSEWHERE = 0.5
#: A meaning of fewer content words may be told in words that no measure finds.
FEWEST = 2
#: What is said of a label stands within so many characters of it.
BESIDE = 60
#: A meaning is said at once: so many characters behind its label.
MAX_MEANING = 160

_NOUN = (
    "Option|Approach|Alternative|Direction|Variant|Proposal|Strategy|Scenario|Issue|Finding|Item|Gap|Bug|Caveat|"
    "Question|Risk|Concern|Problem|Hypothesis|Requirement|Rule"
)
_LABEL = rf"(?:[A-Z]{{1,2}}-?\d{{1,2}}|[A-Z]{{2,5}}-\d{{1,4}}|(?:{_NOUN}) #?(?:[A-Z]|\d{{1,2}}))"
#: A label with what it stands for: in brackets anywhere; else where a line, a cell or a list begins with it.
_DEFINED = re.compile(
    rf"(?<![\w/.#-])({_LABEL})[*`\])]{{0,3}}\s?\("
    rf"|(?:^[\s>|*#`\d.)\-\"]{{0,12}}|[|:,;]\s{{0,3}}[*`]{{0,3}}|\band\s[*`]{{0,3}})({_LABEL})[*`\])]{{0,3}}"
    r"\s?(?:[:—–=]\s?[*`]{0,3}|-\s|(?=\|))",
    re.MULTILINE,
)
#: What every label has: most texts have none.
_LIKELY = re.compile(rf"[A-Z]-?\d|(?:{_NOUN}) ")
_FAMILY = re.compile(r"^[A-Z]+-?(?=\d)")
_END = re.compile(r"[|\n\\]|[.;]\s|\"")
_ALL = re.compile(
    r"(?<!not )(?<!n't )\b(?:fixed|addressed|resolved|implemented|completed|finished|closed)\s(?:all|every|each)\b"
    r"(?: of)?((?:\s[\w-]{2,30}){1,4})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and what it is said to stand for."""

    name: str
    meaning: str


def labels(text: str) -> Iterator[Label]:
    """The labels of a text that it gives a meaning, in order."""
    found = list(_DEFINED.finditer(text)) if _LIKELY.search(text) else []
    for match, following in zip_longest(found, found[1:]):
        stop = min(following.start() if following else len(text), match.end() + MAX_MEANING)
        if match[1]:
            close = text.find(")", match.end(), stop)
            stop = close if close >= 0 else stop
        elif end := _END.search(text, match.end() + 1, stop):
            stop = end.start()
        yield Label(match[1] or match[2], text[match.end() : stop].strip(" *`-—–|"))


def bare(text: str, index: PassageIndex) -> Judgement | None:
    """Find a label of the fact `text` that the summary still uses without telling anywhere what it stands for."""
    for label in labels(text):
        places = _named(label.name, index)
        if places and len(bag(label.meaning)) >= FEWEST and _untold(label, places, index):
            reason = f"The summary still says “{label.name}”, but no longer what it stands for: “{label.meaning}”."
            return Judgement(Outcome.ALTERED, Detail.WEAKENED, 0.2, *places[0], "label", reason)
    return None


def swept(text: str, index: PassageIndex) -> Judgement | None:
    """Find a labelled thing that the fact `text` leaves undone among those of which the summary says all are done."""
    if not (undone := UNDONE.search(text)):
        return None
    for label in labels(text):
        listed = _words_of(_named(label.name, index), index)
        for claim in _ALL.finditer(index.summary) if listed else ():
            if listed & bag(claim[1]) and not _told_open(label.name, index):
                reason = (
                    f"The source says “{undone.group()}” of {label.name}; the summary says “{claim.group().strip()}”."
                )
                return Judgement(Outcome.ALTERED, Detail.FLIPPED, 0.2, *claim.span(), "label_done", reason)
    return None


def _named(name: str, index: PassageIndex) -> list[tuple[int, int]]:
    """The passages of the summary that name a label."""
    if name not in index.summary or not _has_siblings(name, index.summary):
        return []
    whole = re.compile(rf"(?<![\w/.-]){re.escape(name)}(?![\w-]|\.\d)")
    spans = [(passage.start, passage.end) for passage in index.passages]
    return [span for span in spans if whole.search(index.summary, *span)]


def _has_siblings(name: str, text: str) -> bool:
    """Whether a text has other labels of the same family: "M5" stands beside "M1"; "S3" is a name by itself."""
    family = _FAMILY.match(name)
    return family is None or bool(re.search(rf"(?<![\w/.-])(?!{name}(?!\d)){family.group()}\d{{1,4}}(?!\w)", text))


def _words_of(places: list[tuple[int, int]], index: PassageIndex) -> set[str]:
    return set().union(*(bag(index.summary[slice(*span)]) for span in places))


def _untold(label: Label, places: list[tuple[int, int]], index: PassageIndex) -> bool:
    """Whether nothing in the context after tells the meaning of a label that stood for one thing only."""
    if any(index.share(label.meaning, span) >= NAMED_ALONE for span in places):
        return False
    if flat(label.meaning) in index.kept_flat or presence.probability(label.meaning, index) > TOLD_ELSEWHERE:
        return False
    return not _means_else(label, index)


def _means_else(label: Label, index: PassageIndex) -> bool:
    """Whether the same label stood for something else as well, so that nobody knows which one the summary means."""
    mine = bag(label.meaning)
    others = (other for text in bounded(index.sources) if label.name in text for other in labels(text))
    return any(other.name == label.name and bag(other.meaning) and not bag(other.meaning) & mine for other in others)


def _told_open(name: str, index: PassageIndex) -> bool:
    """Whether the summary says, close to the label, that it is left undone."""
    near = (index.summary[max(0, at - BESIDE) : at + BESIDE] for at in _places(name, index.summary))
    return any(UNDONE.search(words) for words in near)


def _places(name: str, text: str) -> Iterator[int]:
    at = text.find(name)
    while at >= 0:
        yield at
        at = text.find(name, at + len(name))
