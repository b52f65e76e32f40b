"""Take Claude Code's wrapping off a summary: what the harness wrote around the model's words."""

import re

from conversations.ingest.events import Summary

#: The opening sentence, in the wordings of 2.0 to 2.1.330, the list of tools used, and the heading over it all.
_PREFIX = re.compile(
    r"This session is being continued from a previous conversation that ran out of context\.\s*"
    r"(?:The conversation is summarized below:\s*"
    r"|The summary below covers the earlier portion of the conversation\.\s*)?"
    r"(?:<system-reminder>\s*<tools-used-before-summary>[^<]{0,4000}</tools-used-before-summary>\s*</system-reminder>\s*)?"
    r"(?:Summary:[ \t]*\n)?"
)
#: The pointer to the full transcript opens the suffix where there is one (2.1.5 and later).
_POINTER = "If you need specific details from before compaction"
_ORDERS = (
    "Please continue the conversation from where we left",
    "Continue the conversation from where it left off",
    "Recent messages are preserved verbatim",
    "The messages after this summary are the most recent messages",
)
#: The longest suffix seen has 920 characters, 90 of them the path; a quotation further up is the summary's own.
_SUFFIX_CHARACTERS = 2_000


def unwrap(text: str) -> Summary:
    """The summary with its wrapping apart: prefix + text + suffix are the text given."""
    match = _PREFIX.match(text)
    start = match.end() if match else 0
    end = _suffix_start(text, start)
    return Summary(text=text[start:end], prefix=text[:start], suffix=text[end:])


def is_wrapped(text: str) -> bool:
    """Whether the text opens as every Claude Code summary does."""
    return _PREFIX.match(text) is not None


def _suffix_start(text: str, start: int) -> int:
    tail = max(start, len(text) - _SUFFIX_CHARACTERS)
    found = text.rfind(_POINTER, tail)
    if found < 0:
        found = min((at for at in (text.find(order, tail) for order in _ORDERS) if at >= 0), default=len(text))
    return max(start, len(text[:found].rstrip())) if found < len(text) else found
