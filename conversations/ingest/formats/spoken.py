"""Cut one message of a wire format into what each speaker says in it.

Tool results travel in user messages, or in the middle of an assistant's where the API itself ran the tool; a summary
stands at the head of the answer that follows it. Each becomes a message of its own, the same from every source, so that
the same conversation has the same messages whichever way it comes.
"""

from collections.abc import Iterable
from itertools import groupby

from conversations.ingest.events import Block, Summary, ToolResult
from conversations.ingest.exchange import Spoken
from conversations.vocabulary import Role


def spoken_of(role: Role, blocks: Iterable[Block]) -> list[Spoken]:
    """The message in parts, in order; none for an empty one. A summary has the role of the message it stands in."""
    parts = groupby(blocks, key=_part)
    return [Spoken(Role.TOOL if part == "result" else role, list(group)) for part, group in parts]


def _part(block: Block) -> str:
    if isinstance(block, ToolResult):
        return "result"
    return "summary" if isinstance(block, Summary) else "words"
