"""Small compactions for tests: lines in a row, what stands in their place, and findings about them."""

from conversations.audit.merge import fact_id
from conversations.audit.model import (
    Author,
    Detail,
    Fact,
    FactKind,
    FactState,
    Finding,
    Judgement,
    Line,
    Segment,
    Span,
)
from conversations.vocabulary import CompactionKind, Origin, Outcome, Role, SummaryState

_ROLES = {Author.TOOL_RESULT: Role.TOOL, Author.USER: Role.USER, Author.PASTED: Role.USER, Author.HARNESS: Role.USER}


class Log:
    """Lines in order, each a message of its own."""

    def __init__(self, start=0):
        self.lines = []
        self._next = start

    def add(self, author, text, **fields):
        at = self._next
        self._next += 1
        role = _ROLES.get(author, Role.ASSISTANT)
        self.lines.append(Line(f"m{at}", 0, role, author, text, at, **fields))
        return self.lines[-1]

    def user(self, text, **fields):
        return self.add(Author.USER, text, **fields)

    def agent(self, text):
        return self.add(Author.ASSISTANT, text)

    def call(self, tool, arguments, answer, *, is_error=False):
        """A tool call with its JSON input, and its result."""
        tool_id = f"t{self._next}"
        made = self.add(Author.TOOL_INPUT, f"{tool} {arguments}", tool=tool, tool_id=tool_id)
        result = self.add(Author.TOOL_RESULT, answer, tool=tool, tool_id=tool_id, is_error=is_error)
        return made, result

    def idle(self, messages):
        """Messages that say nothing of interest."""
        for _ in range(messages):
            self.agent("Going on.")
        return self


def segment_of(before, summary="", after=(), **fields):
    defaults = {
        "boundary": "b1",
        "number": 1,
        "kind": CompactionKind.CLIENT,
        "summary_state": SummaryState.TEXT,
        "kept": (),
        "restored": (),
        "complete": True,
    }
    return Segment(summary=summary, dropped=list(before), continuation=list(after), **{**defaults, **fields})


def fact_of(line, quote=None, kind=FactKind.FINDING, **fields):
    quote = line.text if quote is None else quote
    start = line.text.index(quote)
    spans = (Span(line.message, line.block, start, start + len(quote)),)
    defaults = {
        "id": fact_id(kind, quote),
        "kind": kind,
        "text": quote,
        "quote": quote,
        "spans": spans,
        "author": line.author,
        "first": line.position,
        "last": line.position,
        "state": FactState.OPEN,
    }
    return Fact(**{**defaults, **fields})


def finding_of(fact, outcome=Outcome.FORGOTTEN):
    probability = 0.9 if outcome is Outcome.KEPT else 0.1
    return Finding(fact, Judgement(outcome, Detail.NONE, probability, None, None, "test", "Said so."), 0.5)


__all__ = ["Author", "FactKind", "Log", "Origin", "Outcome", "SummaryState", "fact_of", "finding_of", "segment_of"]
