"""From exchanges to events: what is new in a conversation, what left its context, and what came in instead. Pure.

`known = unpack(state, pages)`, then for each exchange `take(known, exchange, conversation, received).events`, by which
`known` goes on, then `state, pages = pack(known)`.
"""

from conversations.ingest.contexts.known import Known, pack, unpack
from conversations.ingest.contexts.taking import Taken, take

__all__ = ["Known", "Taken", "pack", "take", "unpack"]
