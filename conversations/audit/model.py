"""The auditor's values: what a compaction covered, the facts in it, and what became of each. Pure.

Character offsets are Python string indexes into the text of one block, as `Line.text` gives it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from conversations.vocabulary import CompactionKind, Origin, Outcome, Role, SummaryState


class FactKind(StrEnum):
    """The taxonomy; the comment is its code."""

    PROHIBITION = "prohibition"  # C1: must not, never, only
    REQUIREMENT = "requirement"  # C1: must, always
    PREFERENCE = "preference"  # C1: language, format, style
    ASK = "ask"  # C2: the current ask, its scope and acceptance criteria
    DECISION = "decision"  # C3: with its reason and the rejected alternatives
    VALUE = "value"  # C4: path, id, hash, port, URL, number, version, name
    STATE = "state"  # C5: done, in progress, to do, blocked, not verified
    FINDING = "finding"  # C6: what was found out, root causes, where something is, who calls it
    ERROR = "error"  # C6: errors, dead ends, negative results, command forms that fail
    ANSWER = "answer"  # C6: what the user was told
    OPTION = "option"  # C3: the content behind a label ("Option A", "L2")
    APPROVAL = "approval"  # C7: what the user allowed or refused
    ENVIRONMENT = "environment"  # C8: cwd, branch and its ancestry, worktree, mode, running servers
    KNOWLEDGE = "knowledge"  # C9: skills, scoped rules, memory files
    DELEGATED = "delegated"  # C10: subagents, background jobs, open handles
    COMMAND = "command"  # C11: commands and their results


#: Kinds that can be left open: a rule goes on to hold, an ask, work, what was delegated wait; an error is not mended.
#: What was found, answered or is so was said, and that is all.
PENDING_KINDS = frozenset({
    FactKind.PROHIBITION, FactKind.REQUIREMENT, FactKind.ASK, FactKind.STATE, FactKind.ERROR, FactKind.DELEGATED,
})  # fmt: skip


class FactState(StrEnum):
    """Whether it still mattered at the boundary."""

    OPEN = "open"
    SETTLED = "settled"
    SUPERSEDED = "superseded"


class Detail(StrEnum):
    """How a fact was kept or altered."""

    VERBATIM = "verbatim"
    REWORDED = "in other words"
    WEAKENED = "weakened"
    DISTORTED = "distorted value"
    FLIPPED = "flipped state"
    NONE = ""


class Author(StrEnum):
    """Whose words they are. Pasted text in a user turn is not the user's own voice."""

    USER = "user"
    PASTED = "pasted"
    ASSISTANT = "assistant"
    THINKING = "thinking"
    TOOL_INPUT = "tool_input"
    TOOL_RESULT = "tool_result"
    HARNESS = "harness"
    SUMMARY = "summary"  # said in the previous summary


@dataclass(frozen=True, slots=True)
class Line:
    """One block of one message, as the auditor reads it.

    `text`: the prose; for a tool call its name, a space and the JSON of its input (`ensure_ascii=False`);
    for a tool result its text parts joined.
    """

    message: str  # external id of the message
    block: int  # index of the block within the message
    role: Role
    author: Author
    text: str
    position: int
    origin: Origin = Origin.SPOKEN
    tool: str = ""  # name of the tool called, for calls and results
    tool_id: str = ""  # joins a call to its result
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one block: `text[start:end]`."""

    message: str
    block: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One compaction as the auditor sees it: what it dropped, what stands in its place, what came afterwards."""

    boundary: str  # external id of the compaction
    number: int  # from 1 within the conversation
    kind: CompactionKind
    summary_state: SummaryState
    summary: str  # without the harness's wrapping; "" unless summary_state is text
    dropped: Sequence[Line]  # in order; begins with the previous summary, where there was one
    kept: Sequence[Line]  # kept verbatim: not forgotten
    restored: Sequence[Line]  # put back by the harness afterwards
    continuation: Sequence[Line]  # what followed, up to the end of the log
    complete: bool  # False: messages it covers are not in the data, so "added" cannot be claimed
    cwd: str = ""  # the agent's working directory, for telling paths apart
    #: What earlier compactions dropped, read only where a statement has no source in `dropped` and `kept`.
    earlier: Callable[[], Sequence[Line]] = field(default=tuple, compare=False)


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a loss would matter, 0 to 1, with the parts that make it up (name → contribution)."""

    value: float
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was known before the boundary, said once however often it was repeated."""

    id: str  # stable: a hash of kind and normalised text
    kind: FactKind
    text: str  # one sentence that a person understands without the conversation
    quote: str  # the source's own words, verbatim from `spans[0]`
    spans: tuple[Span, ...]  # where it was said, best place first
    author: Author
    first: int  # position of the first and the last mention
    last: int
    count: int = 1
    state: FactState = FactState.OPEN
    importance: Importance = Importance(0.5)
    cues: tuple[str, ...] = ()  # why the extractor took it

    @property
    def is_pending(self) -> bool:
        """Whether something was still to be done or heeded about it."""
        return self.state is FactState.OPEN and self.kind in PENDING_KINDS


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something later in the log that bears on a finding."""

    signal: str  # name of the harm signal, e.g. "user_repeats"
    text: str  # one sentence for people
    messages: tuple[str, ...]  # external ids
    position: int = 0
    cost_tokens: int | None = None
    base_rate: float | None = None  # how often the signal fires in the same log without a boundary, per 100 messages


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the matcher says of one fact against one context after."""

    outcome: Outcome
    detail: Detail
    probability: float  # calibrated P(the summary lets the agent know it)
    start: int | None  # best passage of the summary; None when nothing is near
    end: int | None
    detector: str  # which rule or model decided
    reason: str  # one plain sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one fact at one compaction."""

    fact: Fact
    judgement: Judgement
    rank: float  # worth a person's time, descending
    rank_parts: dict[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    #: Where it speaks for others of its passage: what each of them says, its own words among them.
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Added:
    """A statement of the summary that has no source in what it covers."""

    id: str
    kind: str  # invented_request | unsupported_outcome | unseen_value
    text: str
    start: int  # in the summary
    end: int
    reason: str
    probability: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """Importance-weighted share kept, with its 90 % interval; None when the summary cannot be read."""

    value: float | None
    low: float | None
    high: float | None
    facts: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything the auditor says of one compaction."""

    segment: Segment
    findings: tuple[Finding, ...]  # best first
    added: tuple[Added, ...]
    retention: Retention
    harm_checkable: bool  # False: no continuation to look at, which is not "no harm found"
    version: str
    cut_texts: int = 0  # texts so long that their ends were not read
