"""A fact as an extractor takes it from one place, before the same fact from other places is merged into it."""

import re
from dataclasses import dataclass

from conversations.audit.cutting import beginning_of
from conversations.audit.facts.units import Unit
from conversations.audit.facts.wording import worded
from conversations.audit.model import FactKind, FactState, Line

LONGEST_TEXT = 300
LONGEST_ABOUT = 110
#: So many characters of a quote tell where it begins in a sentence.
BEGINNING = 40
_COLON = re.compile(r":\s+")
_ESCAPES = re.compile(r"\\[nrt]")


@dataclass(frozen=True, slots=True)
class Draft:
    """`line.text[start:end]` says something of this kind. `about`: where it stands or what it answers, for people."""

    kind: FactKind
    line: Line
    start: int
    end: int
    about: str = ""
    reading: str = ""  # the agent's own words on it, where it is a tool's result
    state: FactState = FactState.OPEN
    cues: tuple[str, ...] = ()
    form: str = "sentence"

    @property
    def quote(self) -> str:
        """The source's own words."""
        return self.line.text[self.start : self.end]

    @property
    def text(self) -> str:
        """One sentence for people: what it is about, then what is said or how the agent read it."""
        return sentence_of(self.about, self.reading or self.quote)


def draft_of(kind: FactKind, line: Line, unit: Unit, *cues: str, about: str = "", reading: str = "") -> Draft:
    """A draft for a unit of a line; its headings say what it is about unless told otherwise."""
    return Draft(kind, line, unit.start, unit.end, about or titled(unit), reading, cues=cues, form=unit.form.value)


def titled(unit: Unit) -> str:
    """The headings and the lead-in that a unit stands under, the nearest two."""
    return ": ".join(part.rstrip(": ") for part in unit.context[-2:])


def about_of(text: str, quote: str, *, anywhere: bool = False) -> str:
    """What a fact's sentence names before its quote begins: headings, a file; "" where it names nothing.

    `anywhere`: the sentence may go on with a later part of the quote.
    """
    said = worded(_ESCAPES.sub(" ", quote))
    at = text.find(said[:BEGINNING]) if said else -1
    if at < 0 and anywhere:
        at = next((m.end() for m in _COLON.finditer(text) if text[m.end() : m.end() + BEGINNING] in said), 0)
    return text[:at].rstrip(":-*• ") if at > 0 else ""


def sentence_of(about: str, said: str) -> str:
    """`about: said` on one line, at most LONGEST_TEXT characters."""
    text = worded(_ESCAPES.sub(" ", said))
    if about and about.casefold() not in text.casefold():
        text = f"{beginning_of(about, LONGEST_ABOUT)}: {text}"
    return beginning_of(text, LONGEST_TEXT)
