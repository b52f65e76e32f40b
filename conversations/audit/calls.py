"""What the agent did: tool calls joined to their results, the kind of each command, and whether it succeeded. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conversations.audit.model import Author, Line

#: Longer inputs are not decoded: a file written whole is no command, and its path comes first in the text anyway.
MAX_INPUT = 2_000_000
#: A command or result longer than this is looked at from both ends only; verdicts of tools stand at the end.
MAX_LOOK = 20_000

#: Programs that only look: a kind named in their arguments ("grep test", "cat build.log") is not that kind of run.
VIEWERS = frozenset(
    """cat grep rg egrep fgrep ls find head tail sed awk less more echo printf cd pwd wc sort uniq diff git gh stat
    file which type mkdir touch rm cp mv chmod tree jq cut tr xargs export source set sleep kill pkill ps lsof
    curl wget open code vim nano du df env printenv test true false date tee""".split()  # noqa: SIM905
)
_KIND_WORDS = {
    "test": re.compile(
        r"(?:^|[\s:/_.-])(?:tests?|pytest|jest|vitest|mocha|tox|nox|rspec|phpunit|ctest|playwright|cypress|bats|"
        r"unittest|e2e|spec|verify)(?=$|[\s:/_.-])"
    ),
    "build": re.compile(
        r"(?:^|[\s:/_.-])(?:build|compile|tsc|webpack|vite|rollup|esbuild|make|cmake|ninja|assemble|package|install|"
        r"bundle|javac|gcc|clang|rustc)(?=$|[\s:/_.-])"
    ),
    "lint": re.compile(
        r"(?:^|[\s:/_.-])(?:lint|eslint|ruff|flake8|pylint|golangci-lint|clippy|shellcheck|biome|stylelint|prettier|"
        r"fmt|format|black|isort|vet|gofmt|rubocop|checkstyle|spotless|pre-commit|check|quality)(?=$|[\s:/_.-])"
    ),
    "types": re.compile(
        r"(?:^|[\s:/_.-])(?:tsc|mypy|pyright|typecheck|type-check|types|flow|check|build)(?=$|[\s:/_.-])"
    ),
    "deploy": re.compile(
        r"(?:^|[\s:/_.-])(?:deploy|publish|release|apply|upgrade|rollout|push|up|vercel|netlify|wrangler|fly|flyctl|"
        r"heroku|serverless|sync)(?=$|[\s:/_.-])"
    ),
}
_GIT = re.compile(
    r"\bgit\b(?:\s+-[cC]\s+\S+)*\s+(commit|push|merge|rebase|pull|cherry-pick)\b|\bgh\s+pr\s+(merge|create)\b"
)
_GIT_KIND = {"commit": "commit", "push": "push", "merge": "merge", "pull": "merge", "rebase": "merge", "create": "push",
             "cherry-pick": "commit"}  # fmt: skip
_SEGMENT = re.compile(r"&&|\|\||[;\n|]")
_ASSIGNMENT = re.compile(r"^\s*(?:\w+=\S*\s+)+")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")

#: How tools report a failure. Each pattern stands under a sign that is in every text that it fits, since most texts
#: have none, and to look for a sign takes a hundredth of the time. A text is given a line break before its first line.
_FAILED = {
    sign: re.compile(pattern)
    for signs, pattern in (
        (("fail", "error", "problem"), r"[1-9]\d* (?:tests? )?(?:failed|failing|failures?|errors?|problems?)\b"),
        (("failure",), r"failures?: [1-9]"),
        (("FAIL",), r"\n[ \t]{0,8}FAIL\b|--- FAIL|BUILD FAILED"),
        (("npm ERR!", "ELIFECYCLE", "Traceback (most recent", "\npanic: ", "\nfatal: ", "\nmake: ***"), ""),
        (("error TS",), r"error TS\d"),
        (("xit code", "xit status"), r"[Ee]xit (?:code|status):? [1-9]"),
        (("\nerror",), r"\nerror(?:\[\w+\])?: "),
    )
    for sign in signs
}
#: What harnesses answer when they, not the tool, refuse: no sign of what the agent knows.
_HARNESS_ERROR = re.compile(
    r"<tool_use_error>|File has (?:not been read yet|been (?:unexpectedly )?modified)|String to replace not found|"
    r"Found \d+ matches of the string|No changes to make|doesn't want to (?:proceed|take this action)|"
    r"Request interrupted|Sibling tool call errored|exceeds maximum allowed (?:tokens|size)|InputValidationError|"
    r"requires approval|permission to use|was blocked\b",
    re.IGNORECASE,
)
#: The same for `_HARNESS_ERROR`, in small letters.
_HARNESS_SIGNS = ("<tool_use_error>", "file has ", "to replace not", "matches of the", "no changes to", "doesn't want",
                  "request int", "sibling tool", "exceeds max", "inputvalidation", "requires appr", "permission to",
                  "was blocked")  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One tool call and what came back. `input`: {} where it is no JSON object; `result`: None = not in the data."""

    line: Line
    input: dict[str, Any]
    result: Line | None

    @property
    def command(self) -> str:
        """The shell command, "" for other tools."""
        for key in ("command", "cmd", "script"):
            value = self.input.get(key)
            if isinstance(value, str):
                return value
            if isinstance(value, list):
                return " ".join(str(part) for part in value)
        return ""

    @property
    def path(self) -> str:
        """The file it is about, "" where it is about none."""
        for key in ("file_path", "path", "notebook_path", "filePath", "filename"):
            if isinstance(value := self.input.get(key), str):
                return value.replace("\\", "/")
        return ""

    @cached_property
    def failed(self) -> bool:
        """The tool says so itself, or its text does."""
        return self.result is not None and (self.result.is_error or says_failed(self.result.text))

    @cached_property
    def harness_error(self) -> bool:
        """The harness refused the call; the tool never ran."""
        return self.result is not None and is_harness_error(self.result.text)


def says_failed(text: str) -> bool:
    """Whether a tool's output says that something went wrong."""
    text = f"\n{ends(text)}"
    return any(sign in text and pattern.search(text) for sign, pattern in _FAILED.items())


def is_harness_error(text: str) -> bool:
    """Whether a result is the harness's refusal."""
    beginning = text[:2_000]
    small = beginning.lower()
    return any(sign in small for sign in _HARNESS_SIGNS) and bool(_HARNESS_ERROR.search(beginning))


def ends(text: str) -> str:
    """The text itself, or its two ends where it is long."""
    return text if len(text) <= MAX_LOOK else text[: MAX_LOOK // 2] + "\n" + text[-MAX_LOOK // 2 :]


def input_of(line: Line) -> dict[str, Any]:
    """The JSON object of a tool call's text; {} where there is none that can be read."""
    start = line.text.find("{")
    if start < 0 or len(line.text) > MAX_INPUT:
        return {}
    try:
        value = json.loads(line.text[start:])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def calls_of(lines: Sequence[Line]) -> list[Call]:
    """The calls in order, each with its result. A result is found by `tool_id`, wherever it stands after the call."""
    results = {line.tool_id: line for line in lines if line.author is Author.TOOL_RESULT and line.tool_id}
    return [
        Call(line, input_of(line), results.get(line.tool_id) if line.tool_id else None)
        for line in lines
        if line.author is Author.TOOL_INPUT
    ]


def command_kinds(command: str) -> frozenset[str]:
    """What kind of work a shell command is: test, build, lint, types, deploy, commit, push, merge; empty for others."""
    command = command[:MAX_LOOK]
    kinds = {_GIT_KIND[found] for match in _GIT.finditer(command) if (found := match.group(1) or match.group(2))}
    for segment in _SEGMENT.split(_QUOTED.sub('""', command)):
        words = _ASSIGNMENT.sub("", segment).strip()
        program = words.split(" ", 1)[0].rsplit("/", 1)[-1].lower()
        if program and program not in VIEWERS:
            kinds |= {kind for kind, pattern in _KIND_WORDS.items() if pattern.search(words.lower())}
    return frozenset(kinds)


def runs_of(calls: Iterable[Call], kind: str) -> list[Call]:
    """The calls that ran a command of this kind."""
    return [call for call in calls if kind in command_kinds(call.command)]
