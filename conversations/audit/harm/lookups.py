"""Signals about knowledge that had to be got again: looked up, worked out, or supplied by the user once more. Pure."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar

from conversations.audit.calls import Call
from conversations.audit.harm.marks import names_in
from conversations.audit.harm.watch import Before, Hit, Step, tokens_of
from conversations.audit.harm.weights import stems
from conversations.audit.model import Author, Fact, FactKind
from conversations.audit.text import sentences

#: What a person supplies; that they name what the agent had read is no sign.
_VALUES = frozenset(
    {FactKind.VALUE, FactKind.ENVIRONMENT, FactKind.REQUIREMENT, FactKind.PREFERENCE, FactKind.APPROVAL}
)
_AGENT = frozenset({Author.ASSISTANT, Author.THINKING, Author.TOOL_INPUT})
#: Words of a tool's output shorter than this come again by chance ("return nil").
MIN_QUOTE = 20
MAX_QUOTE = 300
#: What was brought back must be used within so many messages: later it is about something else.
USED_WITHIN = 20
#: Share of the telling words that make the agent's sentence the same finding; and how many at least.
SAME_FINDING = 0.6
SAME_WORDS_ONLY = 0.75
MIN_STEMS = 4
#: Of the agent's prose so many characters of a line are read for findings.
MAX_PROSE = 20_000

#: What the agent is about to do, or did again, is no finding.
_NARRATION = re.compile(
    r"\b(?:let me|let's|i'll|i will|i need to|now (?:i|run|let)|pass(?:ed|es|ing)?)\b", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?m)^[ \t]*\d+[→|\t]")


def _one_line(text: str) -> str:
    """Without line numbers and layout, so that the same line of a file is the same text whichever tool showed it."""
    return " ".join(_NUMBERED.sub(" ", text).split())


class LookedUpAgain:
    """A tool brought a lost fact back, by its rare names or word for word, and the agent then worked with it.

    A fact whose rare names the agent uses before any tool or person does was not lost to it, and is watched no longer.
    """

    name: ClassVar[str] = "looked_up_again"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"closed": [], "found": {}, "charged": [], **memory}

    @cached_property
    def _facts(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self._before.facts}

    @cached_property
    def _names(self) -> dict[str, frozenset[str]]:
        return {fact.id: names_in(fact.quote) for fact in self._before.facts}

    @cached_property
    def _quotes(self) -> dict[str, list[tuple[str, str]]]:
        """What tools had shown, under the longest name in it."""
        found: dict[str, list[tuple[str, str]]] = {}
        for fact in self._before.facts:
            quote = _one_line(fact.quote[: 2 * MAX_QUOTE])[:MAX_QUOTE]
            if fact.author is Author.TOOL_RESULT and len(quote) >= MIN_QUOTE and (names := self._names[fact.id]):
                found.setdefault(max(sorted(names), key=len), []).append((fact.id, quote))
        return found

    def see(self, step: Step) -> Iterator[Hit]:
        """A result brings it back; the agent's next mention of it makes it a hit."""
        line, marks = step.line, self._before.marks
        if line.author is Author.TOOL_RESULT and not line.is_error:
            for fact in {*marks.brought_back(marks.met(step.tokens)), *self._shown_again(step)}:
                self._found(fact, step)
        elif line.author in _AGENT:
            yield from self._used(step)
            self._close(marks.met(step.tokens))
        elif step.own:
            self._close(marks.met(step.tokens))

    def _shown_again(self, step: Step) -> list[str]:
        likely = [pair for name in sorted(self._quotes.keys() & step.tokens) for pair in self._quotes[name]]
        shown = _one_line(step.line.text) if likely else ""
        return [fact for fact, quote in likely if quote in shown]

    def _found(self, fact: str, step: Step) -> None:
        if fact not in self.memory["closed"] and fact not in self.memory["found"]:
            line, call = step.line, step.call
            self.memory["found"][fact] = {
                "made": call.line.message if call else line.message,
                "result": line.message,
                "tool": call.line.tool if call else line.tool,
                "path": call.path if call else "",
                "position": line.position,
                "number": step.number,
                "cost": tokens_of(line.text),
            }

    def _used(self, step: Step) -> Iterator[Hit]:
        for fact, found in sorted(self.memory["found"].items()):
            if step.number - found["number"] > USED_WITHIN:
                self._close([fact])
            elif self._before.marks.rare[fact] & step.tokens:
                self._close([fact])
                if not _edits(step.call, found["path"]):
                    yield self._hit(fact, found, step.line.message)

    def _close(self, facts: Iterable[str]) -> None:
        for fact in sorted(facts):
            self.memory["found"].pop(fact, None)
            if fact not in self.memory["closed"]:
                self.memory["closed"].append(fact)

    def _hit(self, fact: str, found: dict[str, Any], used: str) -> Hit:
        """Only the first fact that a result brings back is charged with it: costs of hits can be added up."""
        said = " ".join(_NUMBERED.sub(" ", self._facts[fact].quote).split())[:100]
        text = f"{found['tool'] or 'A tool'} had to bring “{said}” back before the agent could use it."
        messages = tuple(dict.fromkeys((found["made"], found["result"], used)))
        cost = found["cost"] if found["result"] not in self.memory["charged"] else None
        self.memory["charged"] = [*self.memory["charged"], found["result"]][-USED_WITHIN:]
        return Hit(self.name, f"fact:{fact}", text, messages, found["position"], cost)


def _edits(call: Call | None, path: str) -> bool:
    """Whether the call changes the file that was read: some harnesses force a read before an edit."""
    changes = {"new_string", "content", "edits", "new_source"}
    return call is not None and bool(path) and call.path == path and bool(changes & call.input.keys())


class WorkedOutAgain:
    """The agent states as new, in prose or thought, a finding that it had stated before and lost."""

    name: ClassVar[str] = "worked_out_again"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"done": [], **memory}

    @cached_property
    def _wanted(self) -> list[tuple[str, frozenset[str]]]:
        found_out = (Author.ASSISTANT, Author.THINKING, Author.TOOL_RESULT)
        told = [f for f in self._before.facts if f.author in found_out and not _NARRATION.search(f.quote)]
        facts = [(fact.id, stems(fact.quote)) for fact in told]
        return [(fact, wanted) for fact, wanted in facts if len(wanted) >= MIN_STEMS]

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        """The findings under those of their words of which a sentence that says the same has at least one.

        These are the weightiest, until the others weigh less than `SAME_FINDING`: 28 % of the words, and the rare ones,
        so that a sentence is held against 2 findings.
        """
        index: dict[str, list[int]] = {}
        for number, (_, wanted) in enumerate(self._wanted):
            for stem in self._before.weights.heaviest(wanted, 1 - SAME_FINDING):
                index.setdefault(stem, []).append(number)
        return index

    def see(self, step: Step) -> Iterator[Hit]:
        """Sentence by sentence: a long answer shares words with everything."""
        line = step.line
        if line.author not in (Author.ASSISTANT, Author.THINKING):
            return
        text = line.text[:MAX_PROSE]
        for part in sentences(text):
            said = text[part.start : part.end]
            for fact in self._same(said):
                self.memory["done"].append(fact)
                told = f"The agent had to find out again: “{' '.join(said.split())[:160]}”"
                yield Hit(self.name, f"fact:{fact}", told, (line.message,), line.position)

    def _same(self, sentence: str) -> list[str]:
        said = stems(sentence)
        if len(said) < MIN_STEMS:
            return []
        met = {number for stem in self._by_stem.keys() & said for number in self._by_stem[stem]}
        likely = [self._wanted[number] for number in sorted(met)]
        done = self.memory["done"]
        return [fact for fact, wanted in likely if fact not in done and self._is_same(fact, wanted, said, sentence)]

    def _is_same(self, fact: str, wanted: frozenset[str], said: frozenset[str], sentence: str) -> bool:
        """Most of the words where a rare name is among them, nearly all where none is."""
        if len(wanted & said) < MIN_STEMS or (share := self._before.weights.share(wanted, said)) < SAME_FINDING:
            return False
        return share >= SAME_WORDS_ONLY or not names_in(sentence).isdisjoint(self._before.marks.rare[fact])


class UserSuppliesAgain:
    """The user types a lost name or value that nobody had used since the boundary."""

    name: ClassVar[str] = "user_supplies_again"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self._values = {fact.id for fact in before.facts if fact.kind in _VALUES}
        self.memory = {"closed": [], **memory}

    def see(self, step: Step) -> Iterator[Hit]:
        """Only what comes from the user first counts."""
        line, marks = step.line, self._before.marks
        if not (step.own or line.author in _AGENT or line.author is Author.TOOL_RESULT):
            return
        met = marks.met(step.tokens)
        for fact in marks.brought_back(met) if step.own else ():
            if fact not in self.memory["closed"] and fact in self._values:
                named = ", ".join(marks.of[fact][:2])
                yield Hit(
                    self.name, f"fact:{fact}", f"The user had to give {named} again.", (line.message,), line.position
                )
        self.memory["closed"].extend(sorted(met.keys() - set(self.memory["closed"])))
