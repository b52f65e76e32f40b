"""Questions put to the user with their options, and the answers; the content behind a label that was chosen."""

import re
from collections.abc import Iterator

from conversations.audit.calls import Call
from conversations.audit.facts.draft import Draft
from conversations.audit.model import FactKind, Line

_OPTION = re.compile(r'"label": ?"((?:[^"\\]|\\.){1,200})", ?"description": ?"((?:[^"\\]|\\.){1,600})"')
_ANSWER = re.compile(r'"([^"\n]{4,400})"="([^"\n]{1,400})"')
_SAID = re.compile(r"the user said:\s*(\S[^\n]*(?:\n(?!\s*\n)[^\n]*)*)", re.IGNORECASE)


def from_call(call: Call) -> Iterator[Draft]:
    """Each option with its meaning, and each answer."""
    result = call.result.text if call.result is not None else ""
    for match in _OPTION.finditer(call.line.text[:50_000]):
        chosen = f'"{match[1]}' in result or f"={match[1]}" in result or f", {match[1]}" in result
        kind, cue = (FactKind.DECISION, "chosen") if chosen else (FactKind.OPTION, "not chosen")
        yield Draft(
            kind,
            call.line,
            match.start(1),
            min(match.end(2), match.start(1) + 380),
            "",
            f"{cue}: {match[1]}: {match[2]}",
            cues=(cue,),
            form="item",
        )
    if call.result is not None:
        yield from answers(call.result)


def answers(line: Line) -> Iterator[Draft]:
    """What the user answered, and what was said in refusing a call."""
    for match in _ANSWER.finditer(line.text[:50_000]):
        yield Draft(
            FactKind.APPROVAL,
            line,
            match.start(),
            min(match.end(), match.start() + 380),
            "",
            f"The user answered: {match[2]} (asked: {match[1]})",
            cues=("answer",),
            form="item",
        )
    said = _SAID.search(line.text[:20_000])
    if said and not said[1].startswith("The user wants to clarify"):
        end = min(said.end(1), said.start(1) + 380)
        about = "The user refused a call"
        yield Draft(FactKind.PROHIBITION, line, said.start(1), end, about, cues=("refusal",), form="item")
