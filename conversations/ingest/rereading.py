"""Read batches of what could not be understood once more: a newer parser may know what an older one did not."""

from collections.abc import Sequence

from conversations.ingest import inbox
from conversations.ingest.accept import Receipt
from conversations.ingest.events import Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.exchanges import accept_exchanges
from conversations.ingest.formats.exchange_batch import read_one
from conversations.ingest.formats.native_checks import UNLIMITED
from conversations.ingest.formats.otlp_wire import Signal
from conversations.ingest.otlp import accept_told, read, says_json, source_of
from conversations.ingest.unread import problems_of, unread_format
from conversations.models import Batch, Request

_SIGNALS = {unread_format(source_of(signal)): signal for signal in (Signal.TRACES, Signal.LOGS)}


def accept_unread(batch: Batch) -> tuple[list[Receipt], list[Problem]]:
    """What became of that which can be read now, claimed by the caller, and the problems that are left. Done twice, it
    changes nothing. A batch whose format is not known here keeps its problems."""
    if batch.format == unread_format(inbox.EXCHANGES):
        return _accept_lines(batch)
    if batch.format in _SIGNALS:
        return _accept_request(batch, _SIGNALS[batch.format])
    return [], problems_of(batch)


def _accept_lines(batch: Batch) -> tuple[list[Receipt], list[Problem]]:
    lines = b"".join(inbox.load(batch)).split(b"\n")
    found = [read_one(line, number, UNLIMITED) for number, line in enumerate(lines)]
    receipts = _accept(batch, [each for each in found if isinstance(each, Exchange)], inbox.EXCHANGES)
    return receipts, [each for each in found if isinstance(each, Problem)]


def _accept_request(batch: Batch, signal: Signal) -> tuple[list[Receipt], list[Problem]]:
    """The whole export request is kept, so that most of it was told when it came: those calls stay as they are."""
    body = b"".join(inbox.load(batch))
    reading, unread = read(body, signal, is_json=says_json(body))
    receipts = _accept(batch, _not_told(batch, reading.exchanges), inbox.OTLP)
    if receipt := accept_told(batch.workspace, reading.events, batch.api_key, claimed=True):
        receipts.append(receipt)
    return receipts, [*unread, *reading.problems]


def _not_told(batch: Batch, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Of a call that is in the store only the last telling counts: told again now, it would move to the end."""
    told = Request.objects.filter(
        workspace=batch.workspace,
        conversation__source=inbox.OTLP,
        external_id__in=[exchange.id for exchange in exchanges],
    )
    known = set(told.values_list("external_id", flat=True))
    return [exchange for exchange in exchanges if exchange.id not in known]


def _accept(batch: Batch, exchanges: Sequence[Exchange], source: str) -> list[Receipt]:
    if not exchanges:
        return []
    workspace, key = batch.workspace, batch.api_key
    return [accept_exchanges(workspace=workspace, exchanges=exchanges, source=source, api_key=key, claimed=True)]
