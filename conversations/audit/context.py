"""Gives a statement the sentence before it, so that a person understands it without the conversation."""

import re
from collections.abc import Mapping
from dataclasses import replace

from conversations.audit.cutting import beginning_of, ending_of
from conversations.audit.facts import cues
from conversations.audit.facts.draft import BEGINNING, LONGEST_TEXT, about_of
from conversations.audit.facts.reading import without_gutter
from conversations.audit.facts.units import is_listed
from conversations.audit.facts.wording import worded
from conversations.audit.model import Author, Fact

#: So many characters before a quote are searched for its sentence.
REACH = 260
#: A sentence with fewer characters explains nothing.
TELLING = 25
#: Of the sentence before so many characters are shown: what a person takes in on the way.
BEFORE = 140
#: Of a list so many characters are gone back.
LONGEST_LIST = 3_000

#: Before what was pasted stands what the user says of it, which is a fact of its own.
_PROSE = frozenset({Author.USER, Author.ASSISTANT, Author.THINKING, Author.TOOL_RESULT, Author.SUMMARY})
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?:])\s+|\n+)(?:[-*•#>|\s]|\d+[.)])*")


def in_context(fact: Fact, texts: Mapping[tuple[str, int], str]) -> Fact:
    """The fact with the words before its passage in front of its sentence for people."""
    span = fact.spans[0]
    if fact.author not in _PROSE:
        return fact
    before = sentence_before(texts[span.message, span.block], span.start)
    about = about_of(fact.text, fact.quote)
    said = fact.text[len(about) :].lstrip(": ") if about else fact.text
    at = worded(fact.quote).find(said[:BEGINNING])
    if len(before) < TELLING or before.casefold() in fact.text.casefold() or at < 0 or cues.NARRATION.match(before):
        return fact
    lead = " ".join(part for part in (about and f"{about}:", ending_of(before, BEFORE), at and "…") if part)
    return replace(fact, text=beginning_of(f"{lead} {said}", LONGEST_TEXT))


def sentence_before(text: str, start: int) -> str:
    """The last sentence before `start`, on one line without markup; before an item of a list what the list follows."""
    start = list_start(text, start)
    reach = text[max(0, start - REACH) : start].rstrip(" \t\n-*•#>|0123456789.)")
    begins = [match.end() for match in _SENTENCE_START.finditer(reach) if match.end() < len(reach) - TELLING]
    if not begins:
        return ""
    said = text[start - min(start, REACH) + begins[-1] : start]
    before = worded(without_gutter(said)).rstrip(" -*•#>|")
    return before if before.endswith((".", "!", "?", ":", ";", "…")) else f"{before}."


def list_start(text: str, start: int) -> int:
    """Where the list or table begins in which `start` stands; `start` itself outside of lists."""
    found, at = start, text.rfind("\n", 0, start) + 1
    while start - at <= LONGEST_LIST:
        if is_listed(text, at):
            found = at
        elif text[at:start].split("\n", 1)[0].strip():
            break
        if at == 0:
            break
        at = text.rfind("\n", 0, at - 1) + 1
    return found
