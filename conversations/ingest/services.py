"""What the rest of the program may ask of ingestion."""

from conversations.ingest.accept import Receipt, Result, accept_events, accept_transcript
from conversations.ingest.digest import Digested, claim, digest_claimed
from conversations.ingest.exchanges import accept_exchange_bodies, accept_exchanges
from conversations.ingest.otlp import accept_telemetry
from conversations.ingest.redigest import redigest

__all__ = [
    "Digested",
    "Receipt",
    "Result",
    "accept_events",
    "accept_exchange_bodies",
    "accept_exchanges",
    "accept_telemetry",
    "accept_transcript",
    "claim",
    "digest_batch",
    "digest_claimed",
    "digest_pending",
    "redigest",
]


def digest_batch(batch_id: int) -> Digested:
    """Digest one batch if it is nobody's; otherwise nothing."""
    return digest_claimed(claim(only=batch_id))


def digest_pending() -> Digested:
    """Digest group after group until there is nothing left that is nobody's."""
    digested = Digested()
    while batches := claim():
        digested.add(digest_claimed(batches))
    return digested
