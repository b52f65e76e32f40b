"""Signals in what the agent does: failing again, taking a change back, delegating twice, breaking a rule. Pure."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from conversations.audit.calls import Call, command_kinds, ends
from conversations.audit.harm.rules import forbidden_by, uses
from conversations.audit.harm.watch import Before, Hit, Step
from conversations.audit.harm.weights import stems
from conversations.audit.model import Added, Author, FactKind

#: Runs that fail in the ordinary course of work: an unfinished change fails its tests again, whoever remembers what.
ROUTINE = frozenset({"test", "build", "lint", "types", "commit", "push", "merge"})
#: An error that was met within so many messages of the boundary is still being worked on: meeting it again is no news.
SETTLED = 30
#: A change smaller than this is undone by chance: MEASURED, all 5 hits below it were import blocks.
MIN_CHANGE = 40
#: A shorter value stands in many inputs by chance.
MIN_VALUE = 5
#: Words in common, as a share of all words of both, that make two errands the same.
SAME_ERRAND = 0.8

_SPACE = re.compile(r"\s+")
_TAIL = re.compile(r"\s*(?:2>&1|\|\s*(?:head|tail|less|cat)\b[^|]*|>\s*/dev/null)\s*")
_LEAD = re.compile(r"^\s*cd\s+\S+\s*(?:&&|;)\s*")
_ERROR = re.compile(
    r"error|exception|fatal|cannot|can't|could not|not found|no such|denied|undefined|unknown|unexpected|invalid|"
    r"unable|refused|timed out|no matches"
)
#: "error: exit code #" tells nothing.
MIN_ERROR = 20
#: Of the line that names the error so many characters to either side.
MAX_ERROR = 200
_CHANGING = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{7,40}\b|\d+|/[^\s:'\"]*/")
_IMPORTS = re.compile(r"^\s*(?:import\b|from\b|#include\b|use\b|using\b|require\b|\"[^\"]*\"$|[)(}{]|//|#|$)")


def command_key(call: Call) -> str:
    """A command without where it runs and how its output is cut; "" for other tools and routine runs."""
    if not call.command or command_kinds(call.command) & ROUTINE:
        return ""
    return _SPACE.sub(" ", _TAIL.sub(" ", _LEAD.sub("", call.command[:4_000]))).strip()


def error_key(call: Call) -> str:
    """The line that names the error, without numbers, hashes and folders; "" where the call met none of its own."""
    if not call.failed or call.harness_error or call.result is None or command_kinds(call.command) & ROUTINE:
        return ""
    text = ends(call.result.text).lower()
    match = _ERROR.search(text)
    key = _CHANGING.sub("#", _line_around(text, match.start())).strip() if match else ""
    return key if len(key) >= MIN_ERROR else ""  # "error: exit code #" tells nothing


def _line_around(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at) + 1, at - MAX_ERROR)
    end = text.find("\n", at)
    return text[start : min(end if end >= 0 else len(text), at + MAX_ERROR)]


class FailsAgain:
    """A command that had failed, and was not seen to work since, is run again and fails again."""

    name: ClassVar[str] = "failing_command_repeated"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"done": [], **memory}

    @cached_property
    def _failed(self) -> dict[str, Call]:
        found: dict[str, Call] = {}
        for call in self._before.calls:
            if call.result is None or call.harness_error or not (key := command_key(call)):
                continue
            if call.failed:
                found.setdefault(key, call)
            else:
                found.pop(key, None)
        return found

    def see(self, step: Step) -> Iterator[Hit]:
        """Only with the result at hand."""
        call = step.result
        if call is None or not call.failed or call.harness_error:
            return
        key = command_key(call)
        if key in self._failed and key not in self.memory["done"]:
            self.memory["done"].append(key)
            first = self._failed[key]
            yield from _hits(self.name, self._before, first, call, f"`{key[:120]}` had failed before, and fails again.")


class SameErrorAgain:
    """An error that was behind the agent is met again."""

    name: ClassVar[str] = "same_error_again"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"done": [], **memory}

    @cached_property
    def _met(self) -> dict[str, Call]:
        found = {key: call for call in self._before.calls if (key := error_key(call))}
        return {key: call for key, call in found.items() if not self._before.is_recent(call.line, SETTLED)}

    def see(self, step: Step) -> Iterator[Hit]:
        """Only with the result at hand, once for each error."""
        if (call := step.result) is None:
            return
        key = error_key(call)
        if key in self._met and key not in self.memory["done"]:
            self.memory["done"].append(key)
            text = f"The same error again as before the compaction: “{key[:140]}”"
            yield from _hits(self.name, self._before, self._met[key], call, text)


class ChangeTakenBack:
    """An edit restores what an edit before the boundary had replaced, and nobody asked for it."""

    name: ClassVar[str] = "change_taken_back"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"asked": False, **memory}

    @cached_property
    def _made(self) -> dict[tuple[str, str, str], Call]:
        edits = [(edit, call) for call in self._before.calls if not call.failed for edit in edits_of(call)]
        return {(call.path, new, old): call for (old, new), call in edits}

    def see(self, step: Step) -> Iterator[Hit]:
        """Where the user speaks of undoing, it is what they asked for."""
        if _UNDO.search(step.own):
            self.memory["asked"] = True
        if (call := step.result) is None or call.failed or self.memory["asked"]:
            return
        for old, new in edits_of(call):
            if (first := self._made.get((call.path, old, new))) is not None:
                text = f"A change made before the compaction is taken back in {call.path.rsplit('/', 1)[-1]}."
                yield from _hits(self.name, self._before, first, call, text)


_UNDO = re.compile(
    r"\b(?:undo|revert|roll ?back|back out|restore|go back|remove|drop|take (?:it|that) (?:out|back))\b", re.IGNORECASE
)


def edits_of(call: Call) -> list[tuple[str, str]]:
    """What the call replaced by what, where it is enough to be told apart."""
    edits = call.input.get("edits")
    items = edits if isinstance(edits, list) else [call.input]
    pairs = [(item.get("old_string"), item.get("new_string")) for item in items if isinstance(item, dict)]
    return [
        (old, new)
        for old, new in pairs
        if isinstance(old, str) and isinstance(new, str) and _tells(old) and _tells(new)
    ]


def _tells(text: str) -> bool:
    return len("".join(line for line in text.splitlines() if not _IMPORTS.match(line))) >= MIN_CHANGE


class DelegatedTwice:
    """The same errand is given to a subagent again, although one had done it before the boundary."""

    name: ClassVar[str] = "delegated_twice"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"asked": False, **memory}

    @cached_property
    def _given(self) -> Sequence[tuple[Call, frozenset[str]]]:
        done = [call for call in self._before.calls if call.result is not None and not call.failed]
        return [(call, stems(errand)) for call in done if (errand := errand_of(call))]

    def see(self, step: Step) -> Iterator[Hit]:
        """Where the user speaks of doing it again, it is what they asked for."""
        if re.search(r"\b(?:again|re-?run|re-?do|another|once more|repeat)\b", step.own, re.IGNORECASE):
            self.memory["asked"] = True
        call = step.call
        if call is None or call.result is not None or self.memory["asked"] or not (errand := errand_of(call)):
            return
        said = stems(errand)
        same = next(
            (first for first, given in self._given if len(said & given) >= SAME_ERRAND * len(said | given)), None
        )
        if same is not None:
            text = f"The same work was delegated before: “{str(call.input.get('description', errand))[:120]}”"
            yield from _hits(self.name, self._before, same, call, text)


def errand_of(call: Call) -> str:
    """What a subagent is told to do; "" for other tools."""
    prompt = call.input.get("prompt")
    delegates = "subagent_type" in call.input or call.line.tool.lower() in ("task", "agent", "spawn_agent", "delegate")
    return f"{call.input.get('description', '')} {prompt[:2_000]}" if delegates and isinstance(prompt, str) else ""


class RuleBroken:
    """The agent does what a lost rule of the user forbids by name, and nobody allowed it since."""

    name: ClassVar[str] = "rule_broken"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"allowed": [], "done": [], **memory}

    @cached_property
    def _rules(self) -> list[tuple[str, str, frozenset[str]]]:
        rules = [
            fact for fact in self._before.facts if fact.kind is FactKind.PROHIBITION and fact.author is Author.USER
        ]
        return [(fact.id, fact.quote, names) for fact in rules if (names := forbidden_by(fact.quote))]

    def see(self, step: Step) -> Iterator[Hit]:
        """A user who names the thing after the boundary speaks of it anew: the old rule is no measure any more."""
        if said := step.own.lower():
            self.memory["allowed"].extend(fact for fact, _, names in self._rules if any(name in said for name in names))
        if (call := step.result) is None or call.harness_error:
            return
        for fact, quote, names in self._rules:
            if fact in self.memory["allowed"] or fact in self.memory["done"] or not (name := uses(call, names)):
                continue
            self.memory["done"].append(fact)
            text = f"The agent uses {name}, against “{' '.join(quote.split())[:140]}”"
            yield Hit(self.name, f"fact:{fact}", text, (call.line.message, step.line.message), step.line.position)


class InventedUsed:
    """A value that the summary invented is given to a tool."""

    name: ClassVar[str] = "invented_used"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._values: list[Added] = [
            item for item in before.added if item.kind == "unseen_value" and len(item.text) >= MIN_VALUE
        ]
        self.memory = {"done": [], **memory}

    def see(self, step: Step) -> Iterator[Hit]:
        """The first time each."""
        line = step.line
        if line.author is not Author.TOOL_INPUT:
            return
        for item in self._values:
            if item.id not in self.memory["done"] and item.text in line.text:
                self.memory["done"].append(item.id)
                text = f"The agent acts on {item.text}, which the summary made up."
                yield Hit(self.name, f"added:{item.id}", text, (line.message,), line.position)


def _hits(signal: str, before: Before, first: Call, again: Call, text: str) -> Iterator[Hit]:
    """For each lost fact said in the first call or its result, or else for the compaction."""
    first_messages = [first.line.message, *([first.result.message] if first.result else [])]
    messages = (*first_messages, again.line.message)
    position = again.result.position if again.result else again.line.position
    for target in before.targets(*first_messages):
        yield Hit(signal, target, text, tuple(dict.fromkeys(messages)), position)
