"""What makes two messages the same one: what they say, without what clients change between two requests.

A message is compared by its *atoms*, one for each block that says something, 8 bytes each. Thinking has none (clients
leave it out of older turns), an image is an image however it is encoded, text is the same with or without space around
it, and a tool call is known by its id, whatever becomes of its input.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from conversations.ingest.events import Block, Summary, Text, Thinking, ToolCall, ToolResult
from conversations.ingest.exchange import Spoken
from conversations.vocabulary import Role

ATOM_BYTES = 8
KEY_BYTES = 16
_encode = msgspec.json.Encoder(order="sorted").encode


def atoms_of(message: Spoken) -> list[bytes]:
    """One for each block that says something, in order."""
    return [atom for block in message.blocks if (atom := _atom(message.role, block))]


def _atom(role: Role, block: Block) -> bytes:
    """b"" for a block that says nothing."""
    if type(block) is Text:  # most are; a request of 400 messages asks this 400 times
        text = block.text.strip()
        return _hash(b"assistant\n" if role is Role.ASSISTANT else b"text\n", text.encode()) if text else b""
    if isinstance(block, Thinking):
        return b""
    if isinstance(block, ToolCall):
        return _hash(b"call\n", block.name.encode(), b"\n", block.id.encode() or _encode(block.input))
    if isinstance(block, ToolResult):
        return _hash(b"result\n", block.id.encode(), b"\n", block.text.strip().encode())
    return _hash(b"summary\n", block.text.strip().encode()) if isinstance(block, Summary) else _hash(b"image\n")


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=ATOM_BYTES).digest()


def atoms_of_system(blocks: Iterable[Block]) -> list[bytes]:
    """The same for a system prompt."""
    return [atom for block in blocks if (atom := _atom(Role.SYSTEM, block))]


def results_of(message: Spoken) -> list[tuple[str, int]]:
    """The results in it: tool call id and characters."""
    if message.role is Role.ASSISTANT:
        return []
    return [(block.id, len(block.text)) for block in message.blocks if isinstance(block, ToolResult)]


def key_after(before: bytes, atoms: Sequence[bytes]) -> bytes:
    """The key of a message that says `atoms` and stands after the message `before`: a chain, like git's."""
    return blake2b(before + b"".join(atoms), digest_size=KEY_BYTES).digest()


def key_of_system(atoms: Sequence[bytes]) -> bytes:
    """The key of a system prompt: it stands before all messages."""
    return blake2b(b"system\n" + b"".join(atoms), digest_size=KEY_BYTES).digest()


def number_of(text: str) -> int:
    """The text's digest as a whole number of 8 bytes, for lists that are looked through."""
    return int.from_bytes(_hash(text.encode()), "big", signed=True)


def text_of(message: Spoken) -> str:
    """All it says in prose."""
    return "\n\n".join(block.text for block in message.blocks if isinstance(block, Text | Summary))


def is_summary(message: Spoken) -> bool:
    """Whether it carries the summary of a compaction."""
    return any(isinstance(block, Summary) for block in message.blocks)
