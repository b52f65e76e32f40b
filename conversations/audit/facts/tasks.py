"""Planned and delegated work: the entries of a task list that were not finished, and what helpers were told to do."""

import re
from collections.abc import Iterator

from conversations.audit.calls import Call
from conversations.audit.facts import cues
from conversations.audit.facts.draft import Draft
from conversations.audit.model import FactKind, FactState

_FIELD = re.compile(r'"(subject|description|content|step)": ?"((?:[^"\\]|\\.){8,2000})"')
_STATUS = re.compile(r'"status": ?"(\w+)"')
_DONE = frozenset({"completed", "done", "cancelled", "deleted"})


def from_calls(calls: list[Call]) -> Iterator[Draft]:
    """The entries of the task tools, each with its last known state."""
    finished = _finished(calls)
    created = 0
    for call in calls:
        if "taskId" in call.input:
            continue
        created += "subject" in call.input
        done = str(created) in finished if "subject" in call.input else False
        yield from _entries(call, done)


def _finished(calls: list[Call]) -> set[str]:
    """Numbers of the tasks that were set to a final state."""
    return {str(c.input["taskId"]) for c in calls if "taskId" in c.input and c.input.get("status") in _DONE}


def _entries(call: Call, done: bool) -> Iterator[Draft]:
    for match in _FIELD.finditer(call.line.text[:50_000]):
        status = _STATUS.search(call.line.text, match.end(), match.end() + 60)
        closed = done or (status is not None and status[1] in _DONE)
        decided = bool(cues.REASON.search(match[2]) or cues.PROHIBITION.search(match[2]))
        state = FactState.SETTLED if closed and not decided else FactState.OPEN
        yield Draft(
            FactKind.DECISION if closed and decided else FactKind.STATE,
            call.line,
            match.start(2),
            min(match.end(2), match.start(2) + 380),
            "Planned task",
            state=state,
            cues=("task",),
            form="item",
        )


def from_delegation(call: Call) -> Iterator[Draft]:
    """The rules and the aim that a helper was given, sentence by sentence of the prompt as it stands in the call."""
    match = re.search(r'"prompt": ?"', call.line.text)
    if not match:
        return
    for start, end in _pieces(call.line.text, match.end()):
        said = call.line.text[start:end]
        if cues.PROHIBITION.search(said) or cues.REQUIREMENT.search(said):
            yield Draft(FactKind.DELEGATED, call.line, start, end, "Told to a helper", cues=("delegated",), form="item")


def _pieces(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The lines of a JSON string that begins at `start`, as slices of the raw text."""
    close = re.compile(r'(?<!\\)"').search(text, start)
    stop = close.start() if close else len(text)
    at = start
    for line_break in re.finditer(r"\\n", text[:stop]):
        if line_break.start() >= at and line_break.start() - at >= 30:
            yield at, min(line_break.start(), at + 380)
        at = max(at, line_break.end())
    if stop - at >= 30:
        yield at, min(stop, at + 380)
