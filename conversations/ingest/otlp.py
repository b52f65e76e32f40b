"""Take an export request of OpenTelemetry in: its model calls as exchanges, what else it tells as events."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec
from django.conf import settings

from conversations.ingest import inbox
from conversations.ingest.accept import Receipt, claim_for
from conversations.ingest.events import CompactionEvent, Event, Problem
from conversations.ingest.exchanges import accept_exchanges
from conversations.ingest.formats.otlp_reading import Reading
from conversations.ingest.formats.otlp_records import read_records
from conversations.ingest.formats.otlp_spans import read_spans
from conversations.ingest.formats.otlp_wire import Signal, read_logs, read_trace
from conversations.ingest.inbox import OTLP
from conversations.models import ApiKey, Batch, KnownContexts, Workspace
from conversations.vocabulary import BatchState, SummaryState

log = logging.getLogger(__name__)

_MOST_PROBLEMS = 1_000  # rows a request; the others are only counted
_MOST_NAMED = 3  # names of spans that were passed over, in the batch's own name


@dataclass(slots=True)
class Taken:
    """What became of a request. `rejected`: spans or records that could not be read, and the first reason."""

    receipts: list[Receipt] = field(default_factory=list)
    rejected: int = 0
    message: str = ""


def accept_telemetry(
    *,
    workspace: Workspace,
    body: bytes,
    signal: Signal,
    is_json: bool,
    api_key: ApiKey | None = None,
    claimed: bool = False,
) -> Taken:
    """Store what the request tells of conversations; what could not be read is kept as it came. The same request again
    changes nothing. Raises BadInput for a body that is no such request."""
    reading, unread = read(body, signal, is_json=is_json)
    problems = [*unread, *reading.problems]
    taken = Taken(rejected=len(unread) + reading.rejected, message=_reason(problems))
    if reading.exchanges or problems:
        taken.receipts.append(
            accept_exchanges(
                workspace=workspace,
                exchanges=[*reading.exchanges, *_capped(problems)],
                source=OTLP,
                api_key=api_key,
                claimed=claimed,
                unread=[body.strip() if is_json else body] if problems else [],
                unread_source=source_of(signal),
            )
        )
    if receipt := accept_told(workspace, reading.events, api_key, claimed=claimed):
        taken.receipts.append(receipt)
    _note_ignored(taken, reading, signal)
    return taken


def source_of(signal: Signal) -> str:
    """By what the bytes of a request that could not be read are known: the encodings do not say which signal it is."""
    return f"{OTLP}_{signal}"


def says_json(body: bytes) -> bool:
    """Whether bytes that were kept are JSON: no message of protobuf that is read here begins like this."""
    return body.startswith(b"{")


def read(body: bytes, signal: Signal, *, is_json: bool) -> tuple[Reading, list[Problem]]:
    """What the request says, and what of it could not be read. Raises BadInput for a body that is no such request."""
    if signal is Signal.TRACES:
        spans = list(read_trace(body, is_json=is_json, depth=settings.MAX_DEPTH))
        unread = [span for span in spans if isinstance(span, Problem)]
        return read_spans([span for span in spans if not isinstance(span, Problem)]), unread
    records = list(read_logs(body, is_json=is_json, depth=settings.MAX_DEPTH))
    unread = [record for record in records if isinstance(record, Problem)]
    return read_records([record for record in records if not isinstance(record, Problem)]), unread


def _reason(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    first = problems[0]
    more = f" ({len(problems) - 1:,} more.)" if len(problems) > 1 else ""
    return f"{first.message} {first.mend}{more}"


def _capped(problems: Sequence[Problem]) -> list[Problem]:
    more = len(problems) - _MOST_PROBLEMS
    rest = [Problem(code="too_many", message=f"{more:,} more of this request.")] if more > 0 else []
    return [*problems[:_MOST_PROBLEMS], *rest]


def _not_told_otherwise(workspace: Workspace, events: Sequence[Event]) -> list[Event]:
    """Without compactions that have no summary, of conversations whose messages are told: there they are found by what
    left the context, and would be told twice."""
    bare = {event.conversation for event in events if _is_bare(event)}
    if not bare:
        return list(events)
    contexts = KnownContexts.objects.filter(workspace=workspace, source=OTLP, external_id__in=bare)
    told = set(contexts.values_list("external_id", flat=True))
    return [event for event in events if not (_is_bare(event) and event.conversation in told)]


def _is_bare(event: Event) -> bool:
    return isinstance(event, CompactionEvent) and event.summary_state is SummaryState.ABSENT


def accept_told(
    workspace: Workspace, events: Sequence[Event], api_key: ApiKey | None, *, claimed: bool
) -> Receipt | None:
    """Store the events as a batch, once. None where there are none that messages do not tell better."""
    wanted = _not_told_otherwise(workspace, events)
    if not wanted:
        return None
    body = msgspec.json.encode(wanted)
    digest = sha256(body).digest()
    same = workspace.batches.filter(sha256=digest, format=OTLP).exclude(state=BatchState.FAILED)
    if earlier := same.order_by("id").first():
        return Receipt(earlier, is_new=False)
    batch = Batch(workspace=workspace, api_key=api_key, format=OTLP, byte_count=len(body), sha256=digest)
    batch.accepted = len(wanted)
    claim_for(batch, claimed=claimed)
    inbox.store_whole(batch, body)
    return Receipt(batch, is_new=True)


def _note_ignored(taken: Taken, reading: Reading, signal: Signal) -> None:
    """Count what is about something else, in the log and in the name of what was stored."""
    count = reading.ignored.total()
    if not count:
        return
    names = ", ".join(name or "unnamed" for name, _ in reading.ignored.most_common(_MOST_NAMED))
    log.info("telemetry passed over signal=%s count=%s most=%r", signal, count, names)
    for receipt in taken.receipts[-1:]:
        name = f"{signal}: {count:,} of {count + reading.accepted:,} passed over ({names})"[:500]
        Batch.objects.filter(pk=receipt.batch.pk, name="").update(name=name)
