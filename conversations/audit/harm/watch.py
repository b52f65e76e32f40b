"""Walk through what followed a boundary once, line by line, with a memory small enough to store and go on from. Pure.

Each signal sees every line in order and keeps what it must remember in `memory`, a JSON object. A later run that begins
with that memory and sees only the new lines therefore ends in the same state as one that sees all of them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

from conversations.audit.calls import Call, calls_of, input_of
from conversations.audit.harm.marks import Marks, Tokens
from conversations.audit.harm.weights import Weights
from conversations.audit.model import Added, Author, Fact, Line
from conversations.audit.voice import stretches
from conversations.vocabulary import Origin, Role

#: Longer user turns are documents more than speech, whoever pasted them; on the 17 logs no spoken turn was longer.
MAX_SPEECH = 2_000
#: Characters of tool output per token, MEASURED on 1,479 request-to-request deltas (median error 17 %).
CHARACTERS_PER_TOKEN = 2.47


@dataclass(frozen=True, slots=True)
class Hit:
    """One sign of harm, not weighed yet. `target`: "fact:ID", "added:ID" or "" for the compaction as a whole."""

    signal: str
    target: str
    text: str
    messages: tuple[str, ...]
    position: int
    cost_tokens: int | None = None
    after: int = 0  # messages from the boundary up to this one


@dataclass(frozen=True, slots=True)
class HarmState:
    """Where a walk stopped, to go on from. JSON all through; a few kilobytes plus the calls still without a result."""

    position: int = -1  # of the last line seen
    messages: int = 0  # seen so far
    replies: int = 0  # of the agent, among them
    pending: Mapping[str, Line] = field(default_factory=dict)  # calls whose result has not come yet, by tool id
    memory: Mapping[str, Any] = field(default_factory=dict)  # by signal
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Before:
    """What was known at the boundary and is now out of context."""

    lines: Sequence[Line]
    facts: Sequence[Fact]  # the lost ones: forgotten or altered
    added: Sequence[Added]
    known: str  # the context that stands after the boundary: summary, kept and restored messages
    tokens: Tokens = field(default_factory=Tokens)  # shared with the control, which reads the same lines

    @cached_property
    def calls(self) -> list[Call]:
        """The tool calls before the boundary."""
        return calls_of(self.lines)

    @cached_property
    def marks(self) -> Marks:
        """The words by which each lost fact can be told."""
        return Marks(self.lines, self.facts, self.known, self.tokens)

    @cached_property
    def weights(self) -> Weights:
        """How much each word tells."""
        return Weights(self.lines)

    def is_recent(self, line: Line, messages: int) -> bool:
        """Whether it stands among the last `messages` before the boundary."""
        places = self._places
        return len(places) - bisect_left(places, line.position) <= messages

    @cached_property
    def _places(self) -> list[int]:
        return sorted({line.position for line in self.lines})

    @cached_property
    def facts_by_message(self) -> dict[str, list[Fact]]:
        """The lost facts that were said in a message."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            for span in fact.spans:
                found.setdefault(span.message, []).append(fact)
        return found

    def targets(self, *messages: str) -> list[str]:
        """The lost facts said in these messages, or the compaction as a whole."""
        facts = {fact.id for message in messages for fact in self.facts_by_message.get(message, ())}
        return [f"fact:{fact}" for fact in sorted(facts)] or [""]


@dataclass(frozen=True)
class Step:
    """The next line; for a call and its result, the call as far as known. What several signals need is made once."""

    line: Line
    call: Call | None
    number: int = 0  # of its message, from 1 after the boundary
    table: Tokens = field(default_factory=Tokens)

    @cached_property
    def own(self) -> str:
        """The user's own words in it."""
        return own_words(self.line)

    @cached_property
    def tokens(self) -> set[str]:
        """Its names and values."""
        return self.table.of(self.line)

    @property
    def result(self) -> Call | None:
        """The call, where this line is its result."""
        return self.call if self.line.author is Author.TOOL_RESULT else None


class Signal(Protocol):
    """One kind of harm. `memory` is JSON and all that `see` may change."""

    name: ClassVar[str]
    memory: dict[str, Any]

    def __init__(self, before: Before, memory: dict[str, Any]) -> None: ...

    def see(self, step: Step) -> Iterator[Hit]:
        """The signs of harm in the next line."""
        ...


def own_words(line: Line) -> str:
    """What the user says in their own voice in this line; "" for commands, pasted documents and everybody else."""
    if (
        line.author is not Author.USER
        or line.origin not in (Origin.SPOKEN, Origin.QUEUED)
        or line.text.lstrip().startswith("/")
    ):
        return ""
    own = "\n".join(line.text[part.start : part.end] for part in stretches(line) if part.author is Author.USER)
    return own if len(own) <= MAX_SPEECH else ""


def walk(signals: Sequence[Signal], state: HarmState, lines: Iterable[Line], tokens: Tokens | None = None) -> HarmState:
    """Show each signal the lines after `state.position`, in order."""
    pending, hits, tokens = dict(state.pending), list(state.hits), tokens or Tokens()
    position, messages, replies = state.position, state.messages, state.replies
    for line in lines:
        if line.position <= state.position:
            continue
        if line.position != position:
            messages, replies, position = messages + 1, replies + (line.role is Role.ASSISTANT), line.position
        step = Step(line, _call_of(line, pending), messages, tokens)
        for signal in signals:
            hits.extend(replace(hit, after=messages) for hit in signal.see(step))
    memory = {signal.name: signal.memory for signal in signals}
    return HarmState(position, messages, replies, pending, memory, tuple(hits))


def _call_of(line: Line, pending: dict[str, Line]) -> Call | None:
    if line.author is Author.TOOL_INPUT:
        if line.tool_id:
            pending[line.tool_id] = line
        return Call(line, input_of(line), None)
    if line.author is Author.TOOL_RESULT and (made := pending.pop(line.tool_id, None)) is not None:
        return Call(made, input_of(made), line)
    return None


def tokens_of(text: str) -> int:
    """About how many tokens a text costs."""
    return round(len(text) / CHARACTERS_PER_TOKEN)
