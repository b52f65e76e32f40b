"""Goes through the dropped lines once and asks the family that knows each of them."""

from collections.abc import Iterator
from dataclasses import replace

from conversations.audit.calls import Call
from conversations.audit.facts import asked, edits, reading, rules, search, shell, spoken, tasks
from conversations.audit.facts.draft import Draft
from conversations.audit.facts.scene import Scene, Work, work_of
from conversations.audit.model import Author, Line, Segment
from conversations.vocabulary import Origin

#: A segment yields at most this many drafts; the latest are kept, since what was said last counts most. MEASURED: the
#: fullest of 17 real compactions has 1,091; each costs about a millisecond to judge.
MOST_DRAFTS = 1_500


def extract_drafts(segment: Segment) -> list[Draft]:
    """Every fact said before the boundary, one draft for each place it was said, in order."""
    scene = Scene(segment.dropped)
    drafts = [draft for number, line in enumerate(segment.dropped) for draft in _from_line(scene, number, line)]
    drafts += tasks.from_calls([call for call in scene.calls if work_of(call) is Work.TASKS])
    drafts += _from_shell(scene)
    return _read_once(drafts)[-MOST_DRAFTS:]


def _read_once(drafts: list[Draft]) -> list[Draft]:
    """What the agent said of several results at once stands with the place that it speaks of most."""
    nearest: dict[str, Draft] = {}
    for draft in filter(reading.is_place, drafts):
        known = nearest.setdefault(draft.reading, draft)
        if reading.shared(draft) > reading.shared(known):
            nearest[draft.reading] = draft
    return [draft for draft in drafts if not reading.is_place(draft) or nearest[draft.reading] is draft]


def _from_line(scene: Scene, number: int, line: Line) -> Iterator[Draft]:
    if line.author in (Author.USER, Author.PASTED):
        yield from rules.from_user(line)
    elif line.author is Author.HARNESS:
        if line.origin is Origin.HARNESS and not line.text.lstrip().startswith("<local-command"):
            yield from rules.loaded(line)
    elif line.author is Author.SUMMARY:
        yield from spoken.from_summary(line)
    elif line.author in (Author.ASSISTANT, Author.THINKING):
        yield from spoken.from_agent(line, scene.answers_user(number) if line.author is Author.ASSISTANT else False)
    elif call := scene.call_of.get(number):
        yield from _from_call(scene, number, line, call)


def _from_call(scene: Scene, number: int, line: Line, call: Call) -> Iterator[Draft]:
    """A call or its result, by what the call was for."""
    work = work_of(call)
    if line is call.line:
        yield from _from_input(work, call)
    elif call.harness_error:
        yield from asked.answers(line)
    else:
        yield from _from_result(work, scene, number, call)


def _from_input(work: Work, call: Call) -> Iterator[Draft]:
    """What the agent asked a tool, a helper or the user."""
    if work is Work.ASK:
        yield from asked.from_call(call)
    elif work is Work.DELEGATE:
        yield from tasks.from_delegation(call)
    elif work is Work.EDIT:
        yield from edits.from_edit(call)


def _from_result(work: Work, scene: Scene, number: int, call: Call) -> Iterator[Draft]:
    """What came back."""
    line = scene.lines[number]
    if work in (Work.DELEGATE, Work.FETCH):
        yield from spoken.from_report(line)
    elif work is Work.READ and reading.is_document(call):
        yield from reading.from_document(line, call)
    elif work in (Work.READ, Work.SEARCH, Work.OTHER) or (work is Work.SHELL and reading.is_look(call)):
        if work is Work.SEARCH:
            yield from search.from_search(line, call)
        yield from reading.from_code(line, call, scene.said_after(number))


def _from_shell(scene: Scene) -> Iterator[Draft]:
    """Commands and their failures, those overcome later marked settled."""
    runs = [call for call in scene.calls if call.command and work_of(call) in (Work.SHELL, Work.SEARCH)]
    yield from shell.last_outcomes(runs)
    overcome = shell.settled(runs)
    for number, call in enumerate(runs):
        for draft in shell.from_call(call):
            failed = draft.line is not call.line
            yield replace(draft, state=shell.state_of(number, overcome)) if failed else draft
