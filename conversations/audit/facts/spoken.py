"""What the agent said and thought, and what its helpers reported: findings, answers, decisions, open work, options."""

import re
from collections.abc import Iterator
from dataclasses import replace

from conversations.audit.facts import cues, rules
from conversations.audit.facts.draft import Draft, draft_of
from conversations.audit.facts.units import Form, Unit, prose
from conversations.audit.model import Author, FactKind, Line
from conversations.audit.text import content_stems

#: A statement with fewer characters before the announcement that follows it says nothing on its own.
SHORTEST = 40
#: A shorter report is a receipt: "launched", "finished".
SHORTEST_REPORT = 400
#: A question of fewer telling words than these asks for a word only: what it is about stands before it.
NAMED = 4

_LABEL = re.compile(
    r"\b(?i:option|variant|approach|alternative|phase|level|tier|plan|direction|scenario|case|"
    r"priority)[ -]?(?:[A-Z]|\d{1,2})\b|\b[A-Z]{1,2}\d{1,2}\b"
)
_LABELLED = re.compile(
    r"^\W*(?:(?i:option|variant|approach|alternative|scenario|direction|phase)\s+(?:[A-Z]|\d{1,2})|[A-Z]{1,2}\d{1,3})\b"
)
#: Thinking that came in pieces has no blank between its sentences: "It is empty.Let me look."
_ANNOUNCED = re.compile(
    r"(?:\s+|(?<=[\w`)][.!?:]))(?:(?:So|Now|Next|First|Then|But|And),? )?(?:Let me|Let's|I'll|I will|I'm going to|"
    r"I should|I need to)\b[^\n]{0,300}$",
    re.IGNORECASE,
)
_ANNOUNCING = ("let me", "let's", "i'll", "i will", "i'm going to", "i should", "i need to")
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
#: Where a harness adds to a helper's report how to go on with the helper and what it cost.
_RECEIPT = re.compile(r"^(?:agentId:|agent_id:|<usage>|total_tokens:)", re.MULTILINE)
_THOUGHT = re.compile(
    r"\s*(?:<analysis>|\W*analysis\W*\n).{0,40000}?(?:</analysis>|^\W*summary\W*$)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
#: Headings under which a review praises: nobody needs it again.
_PRAISE = re.compile(
    r"\b(?:done well|strengths?|positives?|what(?:['’]s| is| was)? (?:good|works|implemented correctly|working well)|"
    r"good practices|highlights)\b",
    re.IGNORECASE,
)
#: Headings under which a summary tells what the user said or wants.
_USERS = re.compile(
    r"\b(?:users?|requests?|intents?|constraints?|rules?|instructions?|preferences?|feedback|guidelines?|"
    r"requirements?|conventions?)\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<![\w/.])[a-zA-Z][a-z]+(?![\w/])")
#: A report of one's own deeds: what was done shows in the files, and is no loss unless it says why or what is left.
_DEED = re.compile(
    r"^\W*(?:\d{1,2}\W+)?(?:[^\n:—-]{3,60}(?::| [—-])\W+)?(?:(?:I|We)(?:['’]ve| have)? )?(?:also |now |successfully )?"
    r"(?:added|created|wrote|updated|fixed|removed|renamed|refactored|moved|ran|committed|pushed|merged|verified|"
    r"implemented|extracted|replaced|changed|deleted|installed|rewrote|cleaned up|confirmed|applied)\b",
    re.IGNORECASE,
)
_DONE_MARK = re.compile(r"^\W*(?:✅|☑|✔|\[x\])", re.IGNORECASE)
_OPEN_MARK = re.compile(r"^\W*(?:❌|⬜|☐|⏳|⚠️?|\[ \])")


def from_report(line: Line) -> Iterator[Draft]:
    """Facts in what a helper or a page answered, where it is prose and not a log or a receipt."""
    if is_prose(line.text):
        receipt = _RECEIPT.search(line.text)
        yield from from_agent(line, answers=False, end=receipt.start() if receipt else None)


def is_prose(text: str) -> bool:
    """Whether at least a quarter of the lines are sentences, headings or list items of some words."""
    rows = [row for row in text[:20_000].split("\n") if row.strip()]
    told = sum(len(_WORDS.findall(row)) >= 5 or row.startswith("#") for row in rows)
    return len(text) > SHORTEST_REPORT and told * 4 >= len(rows)


def from_summary(line: Line) -> Iterator[Draft]:
    """Facts in an earlier summary, without the thinking that some harnesses let stand before it."""
    thought = _THOUGHT.match(line.text)
    yield from from_agent(line, answers=False, start=thought.end() if thought else 0)


def from_agent(line: Line, answers: bool, start: int = 0, end: int | None = None) -> Iterator[Draft]:
    """Facts in `line.text[start:end]`, prose of the agent's. `answers`: it is what the user was told last."""
    for unit in prose(line.text, start, end):
        told = None if unit.form is Form.CODE else telling(line, unit)
        if told is None:
            continue
        said = line.text[told.start : told.end]
        if line.author is Author.SUMMARY and _USERS.search(" ".join(unit.context)):
            yield draft_of(rules.own_kind(said), line, told, "user told of")
        else:
            kind, cue = kind_of(said, unit, line.author, answers)
            yield draft_of(kind, line, told, cue)


def telling(line: Line, unit: Unit) -> Unit | None:
    """What a unit of prose says beside praise and announcing what comes next; None where it says nothing else."""
    told = None if _PRAISE.search(" ".join(unit.context)) else without_announcement(line.text, unit)
    if told is None:
        return None
    said = line.text[told.start : told.end]
    return None if is_narration(said) or is_musing(said, line.author) or is_bare_question(said) else told


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
    match = _ANNOUNCED.search(text, unit.start, unit.end) if _may_announce(text[unit.start : unit.end]) else None
    if match is None:
        return unit
    return replace(unit, end=match.start()) if match.start() - unit.start >= SHORTEST else None


def _may_announce(said: str) -> bool:
    """Whether it has what an announcement begins with: nine of ten have not, and to look for it costs a tenth."""
    small = said.lower()
    return any(words in small for words in _ANNOUNCING)


def is_musing(said: str, author: Author) -> bool:
    """The agent asking itself, which only what follows answers."""
    return author is Author.THINKING and (said.rstrip().endswith("?") or bool(_MUSING.match(said)))


def is_bare_question(said: str) -> bool:
    """Whether it asks without naming anything, such as "Which do you prefer?"."""
    return said.rstrip(" *_").endswith("?") and len(set(content_stems(said))) < NAMED


def kind_of(said: str, unit: Unit, author: Author, answers: bool) -> tuple[FactKind, str]:  # noqa: PLR0911 -- a table
    """The kind of a statement and the cue that decided, the most consequential first."""
    about = " ".join(unit.context)
    if _OPEN_MARK.match(said) or cues.OPEN.search(said) or cues.OPEN.search(about):
        return FactKind.STATE, "open"
    if _DONE_MARK.match(said) or (_DEED.match(said) and not cues.REASON.search(said)):
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
