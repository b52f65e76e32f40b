"""What the agent said and thought, and what its helpers reported: findings, answers, decisions, open work, options."""

import re
from collections.abc import Iterator
from dataclasses import replace

from conversations.audit.facts import cues
from conversations.audit.facts.draft import Draft, draft_of
from conversations.audit.facts.units import Form, Unit, prose
from conversations.audit.model import Author, FactKind, Line

#: A statement with fewer characters before the announcement that follows it says nothing on its own.
SHORTEST = 40
#: A shorter report is a receipt: "launched", "finished".
SHORTEST_REPORT = 400

_LABEL = re.compile(
    r"\b(?i:option|variant|approach|alternative|phase|level|tier|plan|direction|scenario|case|"
    r"priority)[ -]?(?:[A-Z]|\d{1,2})\b|\b[A-Z]{1,2}\d{1,2}\b"
)
_LABELLED = re.compile(
    r"^\W*(?:(?i:option|variant|approach|alternative|scenario|direction|phase)\s+(?:[A-Z]|\d{1,2})|[A-Z]{1,2}\d{1,3})\b"
)
_ANNOUNCED = re.compile(
    r"\s+(?:(?:So|Now|Next|First|Then|But|And),? )?(?:Let me|Let's|I'll|I will|I'm going to|I should|"
    r"I need to)\b[^\n]{0,300}$",
    re.IGNORECASE,
)
_MUSING = re.compile(
    r"^\W*(?:hmm|wait|actually,? wait|maybe i|perhaps i|what if|let me|but (?:wait|first)|ok(?:ay)?,? so)\b",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"^\W*(?:(?:good|great|perfect|excellent|ok(?:ay)?|now|so)\b\W*)*(?:all |the |both |"
    r"these )?(?:\w+ )?(?:tests?|build|lint(?:er|ing)?|changes?|output|it|that|everything|services?)\b"
    r"[^.\n]{0,40}\b(?:pass(?:es|ed|ing)?|succeed\w*|succe\w+|clean|works?|working|running|up|fine|good|done|"
    r"complete[d]?|green)\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<![\w/.])[a-zA-Z][a-z]+(?![\w/])")
_DONE_MARK = re.compile(r"^\W*(?:✅|☑|✔|\[x\])", re.IGNORECASE)
_OPEN_MARK = re.compile(r"^\W*(?:❌|⬜|☐|⏳|⚠️?|\[ \])")


def from_report(line: Line) -> Iterator[Draft]:
    """Facts in what a helper or a page answered, where it is prose and not a log or a receipt."""
    if is_prose(line.text):
        yield from from_agent(line, answers=False)


def is_prose(text: str) -> bool:
    """Whether at least a quarter of the lines are sentences, headings or list items of some words."""
    rows = [row for row in text[:20_000].split("\n") if row.strip()]
    told = sum(len(_WORDS.findall(row)) >= 5 or row.startswith("#") for row in rows)
    return len(text) > SHORTEST_REPORT and told * 4 >= len(rows)


def from_agent(line: Line, answers: bool) -> Iterator[Draft]:
    """Facts in one block of the agent's prose. `answers`: it is what the user was told last."""
    for unit in prose(line.text):
        told = without_announcement(line.text, unit)
        if told is None:
            continue
        said = line.text[told.start : told.end]
        if unit.form is Form.CODE or is_narration(said) or is_musing(said, line.author):
            continue
        kind, cue = kind_of(said, unit, line.author, answers)
        yield draft_of(kind, line, told, cue)


def is_narration(said: str) -> bool:
    """Announcing the next action, and nothing else: true of the moment only."""
    if _MOMENT.match(said) and len(said) < 90:
        return True
    if not cues.NARRATION.match(said):
        return False
    informative = cues.REASON.search(said) or cues.RISK.search(said) or cues.OPEN.search(said)
    return not informative or len(said) < 110


def without_announcement(text: str, unit: Unit) -> Unit | None:
    """The unit without a last sentence that only says what is done next; None when little else is left."""
    match = _ANNOUNCED.search(text, unit.start, unit.end)
    if match is None:
        return unit
    return replace(unit, end=match.start()) if match.start() - unit.start >= SHORTEST else None


def is_musing(said: str, author: Author) -> bool:
    """The agent asking itself, which only what follows answers."""
    return author is Author.THINKING and (said.rstrip().endswith("?") or bool(_MUSING.match(said)))


def kind_of(said: str, unit: Unit, author: Author, answers: bool) -> tuple[FactKind, str]:  # noqa: PLR0911 -- a table
    """The kind of a statement and the cue that decided, the most consequential first."""
    about = " ".join(unit.context)
    if _OPEN_MARK.match(said) or cues.OPEN.search(said) or cues.OPEN.search(about):
        return FactKind.STATE, "open"
    if _DONE_MARK.match(said):
        return FactKind.STATE, "done"
    if _LABELLED.match(said) or (_LABEL.search(about) and unit.form in (Form.ITEM, Form.ROW)):
        return FactKind.OPTION, "label"
    if cues.DECISION.search(said) or cues.DECISION.search(about):
        return FactKind.DECISION, "decision"
    if cues.RISK.search(said) or cues.RISK.search(about):
        return FactKind.FINDING, "risk"
    if answers and author is Author.ASSISTANT:
        return FactKind.ANSWER, "answer"
    return FactKind.FINDING, "mechanism" if cues.MECHANISM.search(said) else "statement"
