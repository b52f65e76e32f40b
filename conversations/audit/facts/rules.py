"""What the user wants: rules, preferences, the ask, approvals; and rules in what was pasted or loaded."""

from collections.abc import Iterator
from dataclasses import replace

from conversations.audit.facts import cues
from conversations.audit.facts.draft import Draft, draft_of
from conversations.audit.facts.units import Form, Unit, each_sentence, prose
from conversations.audit.model import Author, FactKind, Line
from conversations.audit.voice import stretches

#: A loaded document is mostly procedure that is loaded again when needed; more rules than this of one are not facts.
MOST_LOADED = 40
#: A sentence of the user's with fewer characters is said together with the next.
SHORTEST = 12


def from_user(line: Line) -> Iterator[Draft]:
    """Facts in the user's own words and in what the user pasted."""
    for stretch in stretches(line):
        for unit in prose(line.text, stretch.start, stretch.end):
            if stretch.author is Author.USER:
                yield from (draft for part in said_apart(line.text, unit) if (draft := own(line, part)))
            elif draft := pasted(line, unit):
                yield draft


def said_apart(text: str, unit: Unit) -> Iterator[Unit]:
    """The sentences of a unit: a user says several things in one breath, of which a summary keeps some."""
    spans = each_sentence(text, unit.start, unit.end, SHORTEST)
    return (replace(unit, start=start, end=end) for start, end in spans)


def own(line: Line, unit: Unit) -> Draft | None:
    """The user's own sentence: everything the user says is a fact, short assents excepted."""
    said = line.text[unit.start : unit.end]
    if len(said.split()) < 4:
        return None
    return draft_of(own_kind(said), line, unit, "own voice")


def own_kind(said: str) -> FactKind:
    """What sort of wish a sentence of the user's is."""
    if cues.PROHIBITION.search(said) or cues.NO_SUCH.search(said):
        return FactKind.PROHIBITION
    if cues.APPROVAL.match(said.lstrip()) and len(said) < 160:
        return FactKind.APPROVAL
    if "?" in said or cues.REQUEST.match(said.lstrip()):
        return FactKind.ASK
    if cues.REQUIREMENT.search(said):
        return FactKind.REQUIREMENT
    return FactKind.PREFERENCE if cues.PREFERENCE.search(said) else FactKind.ASK


def pasted(line: Line, unit: Unit) -> Draft | None:
    """A statement of a document that the user gave: a rule, an open end, or what a plan says."""
    said = line.text[unit.start : unit.end]
    if unit.form is Form.CODE:
        return None
    kind = rule_kind(said)
    if kind is None and cues.DECISION.search(said):
        kind = FactKind.DECISION
    return draft_of(kind or FactKind.FINDING, line, unit, "given document")


def rule_kind(said: str) -> FactKind | None:
    """Prohibition or requirement, where the words say so."""
    if cues.PROHIBITION.search(said) or cues.NO_SUCH.search(said):
        return FactKind.PROHIBITION
    return FactKind.REQUIREMENT if cues.REQUIREMENT.search(said) else None


def loaded(line: Line) -> Iterator[Draft]:
    """The rules of what the harness loaded for the agent: skills, commands, memory files."""
    taken = 0
    for unit in prose(line.text):
        said = line.text[unit.start : unit.end]
        kind = rule_kind(said) or rule_kind(" ".join(unit.context))
        if kind is None or unit.form is Form.CODE or said.startswith("<"):
            continue
        yield draft_of(kind, line, unit, "loaded")
        taken += 1
        if taken == MOST_LOADED:
            return
