"""What is known of a conversation's contexts between two exchanges, and how it is stored: hashes, ids, sizes, no text.

A conversation has one *head* for each context that goes on by itself: the main one, forks of it, and threads of their
own (subagents, side calls), which are conversations of their own below it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from conversations.ingest.contexts.likeness import ATOM_BYTES
from conversations.ingest.events import CompactionEvent, RequestEvent

#: Messages a stored page: a growing context changes its last page only, at most 1 to 2 kB.
PAGE = 32
#: Heads remembered of one conversation, and exchanges after which one that did not go on is forgotten. If it does go
#: on after all, its messages have the same keys again.
MOST_HEADS = 16
MOST_IDLE = 64
#: What is remembered of exchanges, two numbers each (its id, and its id with its content), and answers by what they
#: say. An exchange that comes again later is known by its messages.
MOST_SEEN = 128
MOST_ANSWERS = 12
#: Beginnings of a context that are remembered: an exchange from before a compaction may come after it.
MOST_OPENINGS = 16


class Held(Struct, array_like=True):
    """One message in a context. `keys`: of the stored messages it is made of, more than one where a client merged them.
    `results`: tool call id and characters of each tool result in it. `cleared`: the API blanks those by itself. `size`
    in characters; `tokens` once a request was billed for it, see `weighing`."""

    keys: list[bytes]
    atoms: bytes
    results: list[tuple[str, int]] = []
    only_results: bool = False
    cleared: bool = False
    size: int = 0
    tokens: int | None = None

    def pieces(self) -> list[bytes]:
        """The atoms one by one."""
        return [self.atoms[at : at + ATOM_BYTES] for at in range(0, len(self.atoms), ATOM_BYTES)]


class Answer(Struct):
    """What was answered to somebody who may have asked for a summary: hashes of its longest lines."""

    lines: list[int]
    requests: list[RequestEvent] = []


class Story(Struct):
    """A loss that goes on turn by turn, such as a window that slides: one compaction that grows. `turn`: of its head,
    when it last grew."""

    event: CompactionEvent
    turn: int


class Head(Struct):
    """One context as it stood after its last exchange. `held` and `closed` are stored in pages, the rest as it is."""

    branch: str = ""  # "" = the conversation itself and its forks; else which thread of its own
    held: list[Held] = []
    fresh: int = 0  # of the held ones, how many the last exchange sent for the first time …
    answered: int = 0  # … and how many were its answer: these stand at the end
    closed: list[Held] = []  # the context before the last compaction, until the next exchange: some may be put back
    closing: CompactionEvent | None = None  # that compaction
    openings: list[tuple[bytes, bytes]] = []  # atoms and key of the first message, before each compaction and now
    cleared: list[str] = []  # tool calls whose results the API has blanked
    system: list[bytes] = []  # atoms of system prompts told so far
    prompt: bytes = b""  # digest of the last exchange's
    shifting: bool = False  # the system prompt has changed before
    requests: list[RequestEvent] = []  # of the last exchange
    story: Story | None = None
    frame: int | None = None  # tokens of a request besides its messages: system prompt and tools; None = not known yet
    exchange: str = ""  # id of the last one
    at: int = 0  # its time, microseconds since 1970
    turns: int = 0  # exchanges so far


class Known(Struct):
    """All that is known of one conversation. `position`: of the last event told, in each thread."""

    heads: list[Head] = []
    seen: list[int] = []  # ids of the last exchanges, without and with their content, hashed
    answers: list[Answer] = []  # the last ones that may be summaries
    positions: dict[str, int] = {}
    facts: dict[str, Any] = {}  # title, agent, version … as last told
    clock: int = 0  # exchanges so far: heads are aged by it
    used: list[int] = []  # for each head, when it last went on
    astray: dict[str, list[bytes]] = {}  # by branch: keys of messages that left it without a compaction; see `astray`


Pages = dict[tuple[int, str, int], bytes]  # (number of the head, "held" or "closed", number of the page) → its messages

_encoder = msgspec.msgpack.Encoder()
_decode_state = msgspec.msgpack.Decoder(Known).decode
_decode_page = msgspec.msgpack.Decoder(list[Held]).decode


def pack(known: Known) -> tuple[bytes, Pages]:
    """What is stored: a small state and its pages."""
    pages: Pages = {}
    small = []
    for number, head in enumerate(known.heads):
        for name, messages in (("held", head.held), ("closed", head.closed)):
            for page, start in enumerate(range(0, len(messages), PAGE)):
                pages[number, name, page] = _encoder.encode(messages[start : start + PAGE])
        small.append(msgspec.structs.replace(head, held=[], closed=[]))
    return _encoder.encode(msgspec.structs.replace(known, heads=small)), pages


def unpack(state: bytes, pages: Mapping[tuple[int, str, int], bytes]) -> Known:
    """The same again."""
    known = _decode_state(state) if state else Known()
    for (number, name, _), body in sorted(pages.items()):
        getattr(known.heads[number], name).extend(_decode_page(body))
    return known


def remember(known: Known, head: Head) -> None:
    """Note that the head went on now; forget those that have not for long, and the least useful where many are left."""
    known.clock += 1
    number = next((number for number, each in enumerate(known.heads) if each is head), None)
    if number is None:
        known.heads.append(head)
        known.used.append(known.clock)
    else:
        known.used[number] = known.clock
    _forget(known)


def _forget(known: Known) -> None:
    """Never the one that goes on, and never the last of the conversation itself."""
    main = max((used, n) for n, used in enumerate(known.used) if not known.heads[n].branch or n == 0)[1]
    for number in reversed(range(len(known.heads))):
        idle = known.clock - known.used[number] > MOST_IDLE
        if idle and number != main:
            del known.heads[number], known.used[number]
            main -= number < main
    if len(known.heads) > MOST_HEADS:
        others = [n for n in range(len(known.heads)) if n != main and known.used[n] != known.clock]
        worst = min(others, key=lambda n: (known.heads[n].turns > 1, known.used[n]))
        del known.heads[worst], known.used[worst]


def keys_of(messages: Iterable[Held]) -> list[bytes]:
    """Their keys, each once, in order."""
    return list(dict.fromkeys(key for message in messages for key in message.keys))


def hexes(keys: Sequence[bytes]) -> list[str]:
    """Keys as the store has them."""
    return [key.hex() for key in keys]
