"""The dropped lines prepared for the extractors: calls with their results, and what was said after each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from conversations.audit.calls import Call, calls_of
from conversations.audit.model import Author, Line


class Work(StrEnum):
    """What a tool call is for, told from its input rather than from its name, which differs by harness."""

    SHELL = "shell"
    READ = "read"
    SEARCH = "search"
    EDIT = "edit"
    DELEGATE = "delegate"
    ASK = "ask"
    TASKS = "tasks"
    FETCH = "fetch"
    OTHER = "other"


#: The first rule whose keys are all in the input decides; order matters: an edit also has a path.
_KEYS: tuple[tuple[frozenset[str], Work], ...] = tuple(
    (frozenset(keys.split()), work)
    for keys, work in (
        ("questions", Work.ASK),
        ("question options", Work.ASK),
        ("todos", Work.TASKS),
        ("plan", Work.TASKS),
        ("subject", Work.TASKS),
        ("taskId", Work.TASKS),
        ("prompt url", Work.FETCH),
        ("url", Work.FETCH),
        ("prompt", Work.DELEGATE),
        ("task_id", Work.DELEGATE),
        ("old_string", Work.EDIT),
        ("new_string", Work.EDIT),
        ("edits", Work.EDIT),
        ("patch", Work.EDIT),
        ("content file_path", Work.EDIT),
        ("content path", Work.EDIT),
        ("pattern", Work.SEARCH),
        ("query", Work.SEARCH),
        ("command", Work.SHELL),
        ("cmd", Work.SHELL),
        ("script", Work.SHELL),
        ("file_path", Work.READ),
        ("path", Work.READ),
        ("filename", Work.READ),
    )
)
_READERS = re.compile(r"^\s*(?:cat|head|tail|sed -n|nl|less|bat)\b")
_SEARCHERS = re.compile(r"^\s*(?:grep|rg|egrep|git grep|find|ag|fd)\b")
_PATCHERS = re.compile(r"apply_patch|<<\s*'?\"?EOF|cat >")


def work_of(call: Call) -> Work:
    """What the call is for."""
    keys = call.input.keys()
    work = next((work for needed, work in _KEYS if needed <= keys), Work.OTHER)
    if work is not Work.SHELL:
        return work
    command = call.command
    if _PATCHERS.search(command[:300]):
        return Work.EDIT
    if _READERS.match(command) and "|" not in command.split("|| ")[0][:200]:
        return Work.READ
    return Work.SEARCH if _SEARCHERS.match(command) else Work.SHELL


@dataclass(frozen=True)
class Scene:
    """The dropped lines of one compaction."""

    lines: Sequence[Line]

    @cached_property
    def calls(self) -> list[Call]:
        """The tool calls in order."""
        return calls_of(self.lines)

    @cached_property
    def call_of(self) -> dict[int, Call]:
        """The call that a line, by its index in `lines`, makes or answers."""
        at = {id(line): number for number, line in enumerate(self.lines)}
        found = {}
        for call in self.calls:
            found[at[id(call.line)]] = call
            if call.result is not None:
                found[at[id(call.result)]] = call
        return found

    def said_after(self, number: int, most: int = 4) -> list[Line]:
        """The next words of the agent after line `number`, up to `most` blocks and before the user speaks."""
        said: list[Line] = []
        for line in self.lines[number + 1 : number + 1 + 3 * most]:
            if line.author is Author.USER or len(said) == most:
                break
            if line.author in (Author.ASSISTANT, Author.THINKING):
                said.append(line)
        return said

    def answers_user(self, number: int) -> bool:
        """Whether line `number` is the last thing the agent said before the user spoke again, or the log ended."""
        for line in self.lines[number + 1 :]:
            if line.author in (Author.ASSISTANT, Author.TOOL_INPUT):
                return False
            if line.author is Author.USER:
                return True
        return True
