"""What the agent said and thought, and what its helpers reported: findings, answers, decisions, open work, options."""

import re
from collections.abc import Iterator

from conversations.audit.facts import cues
from conversations.audit.facts.draft import Draft, draft_of
from conversations.audit.facts.units import Form, Unit, prose
from conversations.audit.model import Author, FactKind, Line

_LABEL = re.compile(
    r"\b(?:option|variant|approach|alternative|phase|step|level|tier|plan|direction|scenario|case|priority|[A-Z])[ -]?[A-Z0-9]\d?\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"^\W*(?:\*\*)?(?:(?:option|variant|approach|alternative|scenario|direction|phase)\s+\w{1,2}|[A-Z]{1,2}\d{1,3})\b",
    re.IGNORECASE,
)
_DONE_MARK = re.compile(r"^\W*(?:✅|☑|✔|\[x\])", re.IGNORECASE)
_OPEN_MARK = re.compile(r"^\W*(?:❌|⬜|☐|⏳|⚠️?|\[ \])")


def from_agent(line: Line, answers: bool) -> Iterator[Draft]:
    """Facts in one block of the agent's prose. `answers`: it is what the user was told last."""
    for unit in prose(line.text):
        said = line.text[unit.start : unit.end]
        if unit.form is Form.CODE or is_narration(said):
            continue
        kind, cue = kind_of(said, unit, line.author, answers)
        yield draft_of(kind, line, unit, cue)


def is_narration(said: str) -> bool:
    """Announcing the next action, and nothing else: true of the moment only."""
    if not cues.NARRATION.match(said):
        return False
    informative = cues.REASON.search(said) or cues.RISK.search(said) or cues.OPEN.search(said)
    return not informative or len(said) < 110


def kind_of(said: str, unit: Unit, author: Author, answers: bool) -> tuple[FactKind, str]:
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
