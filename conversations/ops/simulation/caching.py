"""The prompt cache of the stand-in: what was marked once is read for a tenth of the price the next time.

Unlike the API's, nothing in it expires: a simulated run takes seconds, and the API keeps what is used for five minutes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock
from typing import Any

from conversations.ops.simulation.requests import Context
from conversations.ops.simulation.tokens import MESSAGE_TOKENS, tokens

LEAST_CACHED = 1_024  # tokens; the API caches no shorter prefix


@dataclass(slots=True)
class Cache:
    """Prefixes that were marked with `cache_control`, by digest."""

    _known: set[bytes] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def counts(self, body: dict[str, Any], context: Context) -> dict[str, int]:
        """The context's tokens as `usage` counts them: read from the cache, written to it, and neither."""
        parts = list(_parts(body, context))
        total = sum(size for _, size, _ in parts)
        read, marked = self._look_up(parts)
        written = max(0, marked - read)
        return {
            "input_tokens": total - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        }

    def _look_up(self, parts: list[tuple[str, int, bool]]) -> tuple[int, int]:
        """Tokens of the longest known prefix, and of the longest marked one; the marked ones are known from now on."""
        digest, size, read, marked = blake2b(digest_size=16), 0, 0, 0
        with self._lock:
            last = max((place for place, (_, _, is_marked) in enumerate(parts) if is_marked), default=-1)
            new: list[bytes] = []
            for place, (said, part_size, is_marked) in enumerate(parts[: last + 1]):
                digest.update(said.encode())
                size += part_size
                if digest.digest() in self._known:
                    read = size
                if is_marked and size >= LEAST_CACHED:
                    new.append(digest.digest())
                    marked = size if place <= last else marked
            self._known.update(new)
        return read, marked


def _parts(body: dict[str, Any], context: Context) -> Iterator[tuple[str, int, bool]]:
    """In the order the model reads them: what is said, its tokens, and whether a mark stands on it."""
    tools = context.tools
    yield json.dumps(tools), tokens(tools), any("cache_control" in tool for tool in tools)
    system = body.get("system")
    yield context.system, tokens(context.system), isinstance(system, list) and any("cache_control" in b for b in system)
    for message in context.messages:
        blocks = message["content"]
        for place, block in enumerate(blocks):
            said = json.dumps({key: value for key, value in block.items() if key != "cache_control"})
            share = MESSAGE_TOKENS if place == 0 else 0
            yield message["role"] + said, share + tokens(block), "cache_control" in block
