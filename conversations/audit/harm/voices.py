"""Signals in what people and agent say to each other: the user says it again, the agent asks again. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from conversations.audit.calls import calls_of, input_of
from conversations.audit.harm.watch import Before, Hit, Step, own_words
from conversations.audit.harm.weights import stems
from conversations.audit.model import Author, Fact, FactKind, FactState, Line
from conversations.audit.text import flat

#: How much of the weight of the earlier words must come again. At .5 two different questions about one file met.
SAME_WORDS = 0.6
MIN_SHARED = 3
#: Characters of what was said that a sign shows: a line on the page.
MAX_SHOWN = 160
_REMINDS = re.compile(
    r"\b(?:as i (?:said|told|mentioned|asked)|i (?:already |just )?told you|"
    r"i already (?:said|told|asked|mentioned|answered)|like i said|"
    r"i (?:did )?(?:said|asked) (?:you )?(?:not to|that already|before|earlier)|"
    r"you (?:forgot|have forgotten|lost (?:track|the context))|"
    r"we (?:already |have already |had already )(?:discussed|decided|agreed|settled|talked|did|tried|went)|"
    r"(?:don't|do not) you remember|remember(?:,| that) (?:i|we)|how many times|once again,|i repeat)\b",
    re.IGNORECASE,
)
#: What only the user can have said; what the agent found out is no repetition when the user says it.
_USERS_KINDS = frozenset(
    {
        FactKind.PROHIBITION,
        FactKind.REQUIREMENT,
        FactKind.PREFERENCE,
        FactKind.ASK,
        FactKind.DECISION,
        FactKind.APPROVAL,
    }
)


class UserRepeats:
    """The user says again, in their own voice, what was lost of their words, or that it was said before."""

    name: ClassVar[str] = "user_repeats"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"done": [], **memory}

    @cached_property
    def _wanted(self) -> list[tuple[Fact, frozenset[str]]]:
        users = [
            fact
            for fact in self._before.facts
            if fact.author is Author.USER and fact.kind in _USERS_KINDS and fact.state is FactState.OPEN
        ]
        return [(fact, said) for fact in users if len(said := stems(fact.quote)) >= MIN_SHARED]

    @cached_property
    def _said_before(self) -> frozenset[str]:
        return frozenset(flat(own) for line in self._before.lines if (own := own_words(line)))

    def see(self, step: Step) -> Iterator[Hit]:
        """A queued turn that is delivered after the boundary stands on both sides: the same words are no repetition."""
        own, line = step.own, step.line
        if not own or flat(own) in self._said_before:
            return
        said, reminded = stems(own), _REMINDS.search(own)
        facts = [fact for fact, wanted in self._wanted if self._again(wanted, said, 0.3 if reminded else SAME_WORDS)]
        for fact in facts:
            if fact.id not in self.memory["done"]:
                self.memory["done"].append(fact.id)
                text = f"The user had to say it again: “{_short(own)}”"
                yield Hit(self.name, f"fact:{fact.id}", text, (line.message,), line.position)
        if reminded and not facts:
            text = f"The user reminds the agent of something said before: “{_short(own)}”"
            yield Hit(self.name, "", text, (line.message,), line.position)

    def _again(self, wanted: frozenset[str], said: frozenset[str], least: float) -> bool:
        return len(wanted & said) >= MIN_SHARED and self._before.weights.share(wanted, said) >= least


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    message: str
    answer: str  # message of the answer


class AskedAgain:
    """The agent asks what the user had answered before the boundary."""

    name: ClassVar[str] = "asked_again"

    def __init__(self, before: Before, memory: dict[str, Any]) -> None:
        self._before = before
        self.memory = {"done": [], **memory}

    @cached_property
    def _answered(self) -> list[tuple[_Question, frozenset[str]]]:
        return [
            (asked, said)
            for asked in answered_questions(self._before.lines)
            if len(said := stems(asked.text)) > MIN_SHARED
        ]

    def see(self, step: Step) -> Iterator[Hit]:
        """Both ways the same words: a narrower question about the same thing is another question."""
        for text in questions_of(step.line):
            said = stems(text)
            for asked, wanted in self._answered:
                if asked.message not in self.memory["done"] and self._same(wanted, said):
                    self.memory["done"].append(asked.message)
                    yield from self._hits(asked, text, step.line)

    def _same(self, wanted: frozenset[str], said: frozenset[str]) -> bool:
        both = (self._before.weights.share(wanted, said), self._before.weights.share(said, wanted))
        return len(wanted & said) > MIN_SHARED and min(both) >= SAME_WORDS

    def _hits(self, asked: _Question, text: str, line: Line) -> Iterator[Hit]:
        said = f"The agent asks what the user had answered: “{_short(text)}”"
        for target in self._before.targets(asked.message, asked.answer):
            yield Hit(self.name, target, said, (asked.message, asked.answer, line.message), line.position)


def questions_of(line: Line) -> list[str]:
    """What the agent asks the user in this line: by a tool made for it, or as the end of what it says."""
    if line.author is Author.TOOL_INPUT and "ask" in line.tool.lower():
        asked = input_of(line).get("questions") or [input_of(line)]
        found = [item.get("question") for item in asked if isinstance(item, dict)] if isinstance(asked, list) else []
        return [text for text in found if isinstance(text, str)]
    if line.author is Author.ASSISTANT and (text := line.text[-600:].rstrip().rstrip("*_`)")).endswith("?"):
        return [re.split(r"(?<=[.!?:])\s+|\n", text)[-1]]
    return []


def answered_questions(lines: Sequence[Line]) -> list[_Question]:
    """The questions to which the user's answer is in the data."""
    found = []
    for call in calls_of(lines):
        if call.result is not None and not call.result.is_error:
            found += [_Question(text, call.line.message, call.result.message) for text in questions_of(call.line)]
    asked: list[tuple[str, str]] = []
    for line in lines:
        if own_words(line):
            found += [_Question(text, message, line.message) for text, message in asked]
            asked = []
        elif line.author in (Author.ASSISTANT, Author.TOOL_INPUT):
            asked = [(text, line.message) for text in questions_of(line)] if line.author is Author.ASSISTANT else []
    return found


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= MAX_SHOWN else one_line[: MAX_SHOWN - 1] + "…"
