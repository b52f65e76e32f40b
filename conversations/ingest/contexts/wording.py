"""What a summary sounds like. Wording never makes a compaction by itself: it raises the confidence in what structure
shows, decides where structure cannot (a context of which nothing stayed), and tells the summary from its wrapping."""

import re

from conversations.ingest.contexts.likeness import number_of
from conversations.ingest.events import Block, Summary, Text
from conversations.ingest.exchange import Spoken
from conversations.ingest.formats.claude_summary import is_wrapped, unwrap

#: How harnesses open the message that stands in place of older ones. Looked for near its beginning.
_OPENINGS = re.compile(
    r"here(?:'s| is| follows) (?:a|the) (?:\w+ ){0,3}summary of (?:the |our |this |what )"
    r"|\bsummary of (?:the |our |this |all )?(?:\w+ ){0,2}"
    r"(?:conversation|dialogue|chat|session|discussion|history|messages)"
    r"|\bconversation (?:so far|to date)\b"
    r"|\b(?:conversation|context|history|session|previous|earlier) summary\b"
    r"|previous conversation that ran out of context"
    r"|another language model started to solve this problem"
    r"|<(?:conversation_?|context_?|previous_?|history_?)?(?:summary|state_snapshot)\b"
    r"|\b(?:earlier|previous|older|prior) (?:messages|conversation|turns|context|history|steps)\b"
    r".{0,40}\b(?:summari[sz]ed|condensed|compacted|compressed)"
    r"|\b(?:summari[sz]ed|condensed|compacted|compressed) (?:conversation|context|history|version of)",
    re.IGNORECASE,
)
_NEAR = 400  # characters from the beginning
_AT_ONCE = 160
#: An instruction, not what came of it.
_ORDERS = re.compile(
    r"\s*(?:please |now |you (?:are|will|must)|your task|i (?:want|need|would like) |can you |could you )?"
    r"\s*(?:summari[sz]e|write|create|generate|provide|produce|make|give|condense|compress|distil|compact|extract|"
    r"analy[sz]e|read|classify|rate|judge|evaluate|answer|translate)\b"
    r"|\s*(?:you are|you will|your task)\b",
    re.IGNORECASE,
)
#: In a system prompt only a summary that is announced and given counts.
_GIVEN = re.compile(
    r"^[^\n]*\bsummary of (?:the |our |this |all |what )[^\n:]{0,80}:\s*\S"
    r"|^[^\n]*\b(?:conversation|context|previous|earlier) summary[^\n:]{0,40}:\s*\S"
    r"|<(?:conversation_?|context_?|previous_?|history_?)?(?:summary|state_snapshot)>",
    re.IGNORECASE | re.MULTILINE,
)
#: What a harness asks for when it wants a summary.
_ASKS = re.compile(r"summari|summary|compact|condens|compress|distil|hand-?off|snapshot", re.IGNORECASE)
#: A note that something is missing is no summary of it.
_NOTE = re.compile(
    r"\b(?:earlier|previous|older|prior|some|\d+)\b.{0,40}\b(?:messages?|turns?|context|history|conversation)\b"
    r".{0,60}\b(?:truncated|omitted|removed|dropped|trimmed|deleted|hidden|elided|not shown)",
    re.IGNORECASE | re.DOTALL,
)
_NOTE_CHARACTERS = 300
_ASK_CHARACTERS = 3000
#: Wrapping to be taken off: opening sentences that end in a colon, and tags.
_PREFIX = re.compile(
    r"\s*(?:here(?:'s| is| follows) (?:a|the) [^\n]{0,80}?summary of [^\n:]{0,120}:\s*"
    r"|\[?(?:conversation|context|previous|earlier)? ?(?:conversation )?summary[^\n:\]]{0,80}[:\]]\s*"
    r"|another language model started to solve this problem.{0,600}?language model[^\n:]{0,200}:\s*)?"
    r"(?:<(?P<tag>summary|state_snapshot|conversation_summary|context_summary|previous_summary)>\s*)?",
    re.IGNORECASE | re.DOTALL,
)
#: Lines of an answer that are looked for in later messages: long ones, which nothing else says.
LINE_CHARACTERS = 24
_LINES = 3
_MOST_LINES = 2000


def sounds_like_summary(text: str) -> bool:
    """Whether its beginning says that it stands for what was said before."""
    return is_wrapped(text) or _OPENINGS.search(text[:_NEAR]) is not None


def opens_as_summary(text: str) -> bool:
    """Whether it says at once that it is a summary, and is no order to write one."""
    return is_wrapped(text) or _OPENINGS.search(text[:_AT_ONCE]) is not None


def asks_at_once(text: str) -> bool:
    """Whether it begins as an order, or tells somebody else what they are."""
    return _ORDERS.match(text) is not None


def given_summary(text: str, lines: frozenset[int]) -> str:
    """The summary that stands in a system prompt, with its heading; "" if none does. `lines`: of answers to somebody
    who asked for one."""
    match = _GIVEN.search(text)
    if match is not None:
        return text[match.start() :].strip()
    kept = text.splitlines()
    first = next((at for at, line in enumerate(kept) if lines and not lines.isdisjoint(lines_in(line))), None)
    return "" if first is None else "\n".join(kept[first:]).strip()


def is_note(text: str) -> bool:
    """Whether it only says that messages were left out."""
    return len(text) <= _NOTE_CHARACTERS and _NOTE.search(text) is not None


def asks_for_summary(text: str) -> bool:
    """Whether an instruction may be one to sum up."""
    return _ASKS.search(text[:_ASK_CHARACTERS]) is not None or _ASKS.search(text[-_ASK_CHARACTERS:]) is not None


def longest_lines(text: str) -> list[int]:
    """By what an answer is known again inside another message: hashes of its longest lines."""
    lines = {line for raw in text.splitlines() if len(line := _squeezed(raw)) >= LINE_CHARACTERS}
    return sorted(map(number_of, sorted(lines, key=lambda line: (-len(line), line))[:_LINES]))


def lines_in(text: str) -> set[int]:
    """The hashes of all lines that `longest_lines` could name."""
    lines = (_squeezed(raw) for raw in text.splitlines()[:_MOST_LINES])
    return {number_of(line) for line in lines if len(line) >= LINE_CHARACTERS}


def _squeezed(line: str) -> str:
    """Without markup at its ends and with single spaces."""
    return re.sub(r"^(?:\s|</?\w+>)+|(?:\s|</?\w+>)+$", "", " ".join(line.split()))


def as_summary(message: Spoken) -> list[Block]:
    """The message's blocks with the text that is the summary as a Summary; the wrapping stands apart in it."""
    if any(isinstance(block, Summary) for block in message.blocks):
        return message.blocks
    texts = [block for block in message.blocks if isinstance(block, Text)]
    longest = max(texts, key=lambda block: len(block.text), default=None)
    return [unwrapped(block.text) if block is longest else block for block in message.blocks]


def unwrapped(text: str) -> Summary:
    """Prefix, text and suffix together are the text given."""
    if is_wrapped(text):
        return unwrap(text)
    match = _PREFIX.match(text)
    start = match.end() if match else 0
    end = len(text.rstrip())
    closing = f"</{match['tag']}>" if match and match["tag"] else ""
    if closing and (at := text.lower().rfind(closing.lower(), start)) >= 0:
        end = at
    if start >= end:
        return Summary(text)
    return Summary(text[start:end].rstrip(), text[:start], text[start + len(text[start:end].rstrip()) :])
