"""Gives a short statement the sentence before it, so that a person understands it without the conversation."""

import re
from collections.abc import Mapping
from dataclasses import replace

from conversations.audit.facts.draft import LONGEST_TEXT
from conversations.audit.facts.units import plain
from conversations.audit.model import Author, Fact

#: A quote with more characters speaks for itself.
SHORT = 240
#: So many characters before a quote are searched for its sentence.
REACH = 260
#: A sentence with fewer characters explains nothing.
TELLING = 25

_PROSE = frozenset({Author.USER, Author.PASTED, Author.ASSISTANT, Author.THINKING, Author.TOOL_RESULT, Author.SUMMARY})
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?:])\s+|\n+)(?:[-*•#>|\s]|\d+[.)])*")


def in_context(fact: Fact, texts: Mapping[tuple[str, int], str]) -> Fact:
    """The fact with the words before it in its sentence for people, where its quote is short and there is room."""
    span = fact.spans[0]
    room = LONGEST_TEXT - len(fact.text) - 10
    if fact.author not in _PROSE or len(fact.quote) > SHORT or room < TELLING:
        return fact
    before = sentence_before(texts[span.message, span.block], span.start)
    if len(before) < TELLING or before.casefold() in fact.text.casefold():
        return fact
    return replace(fact, text=f"{fact.text} (after: {_cut(before, room)})")


def sentence_before(text: str, start: int) -> str:
    """The last sentence or line before `start`, on one line without markup."""
    reach = text[max(0, start - REACH) : start].rstrip(" \t\n-*•#>|0123456789.)")
    begins = [match.end() for match in _SENTENCE_START.finditer(reach) if match.end() < len(reach) - TELLING]
    return plain(reach[begins[-1] :]) if begins else ""


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else "… " + text[-room + 2 :].split(" ", 1)[-1]
