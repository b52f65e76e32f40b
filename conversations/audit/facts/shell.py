"""What commands taught: how things are run here, where the work stands, what failed and was not mended."""

import json
import re
from collections.abc import Iterator

from conversations.audit.calls import Call, command_kinds, ends
from conversations.audit.facts.draft import Draft
from conversations.audit.lines import lines
from conversations.audit.model import FactKind, FactState, Line

MOST_ERRORS = 4  # lines of one result
LONGEST_STATUS = 1_500  # characters of output that says where one is; more is a listing
MOST_WORDS = 6  # of a command that is run again and again
LONGEST_COMMAND = 160  # characters; longer ones are made for one occasion

_ERROR_LINE = re.compile(
    r"\b(?:error|errors?:|fatal|exception|failed|failure|cannot|could not|no such|not found|undefined|denied|"
    r"refused|timed? ?out|"
    r"unable|invalid|missing|conflict|panic|does not exist|no matches|FAIL)\b",
    re.IGNORECASE,
)
_NOISE_LINE = re.compile(
    r"\b0 (?:errors?|failed|failures?)\b|no errors?\b|^\s*(?:at |File \")|node_modules/|✓|PASS\b|\bok\s", re.IGNORECASE
)
_PLACE = re.compile(
    r"^\W{0,4}(?:on branch|your branch|switched to|ahead of|behind|HEAD (?:is now )?at|up to date with|"
    r"listening on|running (?:on|at)|"
    r"local:\s+http|started (?:on|server)|worktree|rebase|merge|diverged|detached|using (?:node|python|version))[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_CHANGED_DIR = re.compile(r"^\s*cd [^&;\n]+&&\s*")
_TRIMMED = re.compile(r"(?:\s*(?:2>&1|2>/dev/null|\|\s*(?:tail|head|grep|rg|less|sort|wc|tee|cat)\b[^|&;]*))+\s*$")
#: What a command has that is made for one occasion: quotations, a file, a filter for a test's name, a deep folder.
_ONE_OFF = re.compile(r"[\"'$]|\.\w{1,5}(?=$|[\s:])|(?:^|\s)(?:-run|-k|-t|--grep|--testNamePattern)\b|/[\w.@-]+/[\w@-]")
#: The cue of what the last run of a check came to.
LAST_RUN = "last run"
_CHECKS = frozenset({"test", "lint", "types", "build"})
#: The line in which a tool sums up a check.
_TOLD = re.compile(
    r"^[^\n]*\b\d+ (?:tests? |checks? |suites? )?(?:pass\w*|fail\w*|skipp\w*|errors?|warnings?)\b[^\n]*", re.MULTILINE
)
_PART = re.compile(r"&&|\|\||;")
_SETUP = re.compile(
    r"\b(?:git (?:checkout|switch|worktree|branch|merge|rebase|fetch|stash)|mkdir|docker|export|source|nvm|"
    r"venv|createdb|psql|ssh)\b"
)


def from_call(call: Call) -> Iterator[Draft]:
    """The facts of one shell command and its result."""
    if not call.command or call.harness_error:
        return
    bare = without_comments(call.command)
    kinds = command_kinds(bare)
    span = core_span(call)
    if span and kinds & {"test", "lint", "build", "types", "deploy"} and is_lasting(call.line.text[slice(*span)]):
        yield Draft(FactKind.COMMAND, call.line, *span, described(call), cues=tuple(sorted(kinds)), form="command")
    elif span and _SETUP.search(bare[:400]):
        yield Draft(FactKind.ENVIRONMENT, call.line, *span, described(call), cues=("set-up",), form="command")
    if call.result is not None:
        yield from _result(call, call.result, bool(kinds))


def without_comments(command: str) -> str:
    """The command without the lines that only talk about it."""
    return "\n".join(row for row in command.split("\n") if not row.lstrip().startswith("#"))


def core_span(call: Call) -> tuple[int, int] | None:
    """What is run, as it stands in the call's text, without a leading `cd` and without what trims the output.

    None for scripts of several lines and one-off constructions: how things are run here fits on one line.
    """
    bare = without_comments(call.command).strip()
    if "\n" in bare or not bare:
        return None
    core = _TRIMMED.sub("", _CHANGED_DIR.sub("", bare)).strip()
    written = json.dumps(core, ensure_ascii=False)[1:-1]
    at = call.line.text.find(written)
    return (at, at + len(written)) if at >= 0 and 4 <= len(core) <= LONGEST_COMMAND else None


def is_lasting(core: str) -> bool:
    """Whether a command says how things are run here, and not how one file or one test was run this time."""
    return not _ONE_OFF.search(core) and all(len(part.split()) <= MOST_WORDS for part in _PART.split(core))


def described(call: Call) -> str:
    """The agent's own words for a command, else what it runs."""
    words = call.input.get("description")
    return words[:100] if isinstance(words, str) and words else ""


def _result(call: Call, result: Line, is_run: bool) -> Iterator[Draft]:
    """Errors where the call failed, and where the work stands."""
    about = described(call) or call.command[:90]
    if call.failed or result.is_error:
        rows = [
            (a, b)
            for a, b in lines(result.text)
            if _ERROR_LINE.search(result.text[a:b]) and not _NOISE_LINE.search(result.text[a:b])
        ]
        for a, b in rows[:MOST_ERRORS]:
            yield Draft(FactKind.ERROR, result, a, min(b, a + 300), about, cues=("failed",), form="row")
    if not is_run and len(result.text) <= LONGEST_STATUS:
        for match in list(_PLACE.finditer(result.text[:4000]))[:2]:
            if match.end() - match.start() >= 15:
                yield Draft(
                    FactKind.ENVIRONMENT,
                    result,
                    match.start(),
                    min(match.end(), match.start() + 300),
                    about,
                    cues=("place",),
                    form="row",
                )


def last_outcomes(calls: list[Call]) -> Iterator[Draft]:
    """What the last whole run of each sort of check came to, in the tool's words: it is what has been verified."""
    last: dict[str, Call] = {}
    for call in calls:
        span = core_span(call)
        if span and is_lasting(call.line.text[slice(*span)]):
            last |= dict.fromkeys(command_kinds(call.command) & _CHECKS, call)
    for kind, call in last.items():
        if call.result is not None and (told := list(_TOLD.finditer(ends(call.result.text)))):
            at = call.result.text.rfind(told[-1].group())
            span = at, min(at + len(told[-1].group()), at + 300)
            yield Draft(FactKind.STATE, call.result, *span, f"Last {kind} run", cues=(LAST_RUN,), form="row")


def settled(calls: list[Call]) -> set[int]:
    """Indexes of failed calls whose program, with the same kind of work, succeeded later."""
    last_good: dict[str, int] = {}
    for number, call in enumerate(calls):
        if call.command and not call.failed:
            last_good[signature(call)] = number
    return {n for n, call in enumerate(calls) if call.failed and last_good.get(signature(call), -1) > n}


def signature(call: Call) -> str:
    """What makes two commands attempts at the same thing: their kinds, else program and first word."""
    kinds = command_kinds(call.command)
    return " ".join(sorted(kinds)) or " ".join(call.command.split()[:2])


def state_of(number: int, done: set[int]) -> FactState:
    """A failure that was overcome before the boundary is settled."""
    return FactState.SETTLED if number in done else FactState.OPEN
