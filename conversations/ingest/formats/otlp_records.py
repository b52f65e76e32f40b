"""What the log records of one export request say of conversations."""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from msgspec import structs

from conversations.ingest.events import CompactionEvent, Event, Usage
from conversations.ingest.formats.base import mapping_of, text_of
from conversations.ingest.formats.otlp import Record
from conversations.ingest.formats.otlp_bodies import content_told
from conversations.ingest.formats.otlp_calls import ModelCall
from conversations.ingest.formats.otlp_compactions import compaction_in_record
from conversations.ingest.formats.otlp_events import NAMES, content_of_records
from conversations.ingest.formats.otlp_logs import REDACTED, harness_events, key_of_record, time_of
from conversations.ingest.formats.otlp_names import agent_of, conversation_of, tags_of, usage_of
from conversations.ingest.formats.otlp_reading import Reading, incomplete, read_call
from conversations.vocabulary import SummaryState

_DETAILS = "gen_ai.client.inference.operation.details"
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


def read_records(records: Sequence[Record]) -> Reading:
    """Everything in them. The same records say the same whatever order they come in."""
    reading, summaries = Reading(), _Summaries()
    told: set[str] = set()
    ordered = sorted(records, key=lambda each: (each.at is None, each.at))
    for together in _by_span(record for record in ordered if record.name in NAMES):
        _read_together(reading, together)
    for record in ordered:
        summaries.note(record)
        if record.name in NAMES:
            continue
        if record.name == _DETAILS:
            call = _call(record)
            if call.content or call.id not in told:
                read_call(reading, call)
            reading.accepted += 1
        elif _read_event(reading, record, summaries):
            told.add(_key(record))
        else:
            reading.ignored[record.name] += 1
    return reading


def _read_event(reading: Reading, record: Record, summaries: "_Summaries") -> bool:
    """Whether the record is about a conversation's calls, messages or compactions."""
    conversation = conversation_of(record) or record.trace
    if not conversation:
        return False
    key = _key(record)
    compaction = compaction_in_record(record, key, conversation)
    told: list[Event] = list(harness_events(record, key, conversation))
    if compaction:
        told = [summaries.complete(compaction, record)]
    if told:
        agent, version = agent_of(record.attributes, record.source)
        reading.note(incomplete(conversation, agent, version), *told)
        reading.accepted += 1
    return bool(told)


def _by_span(records: Iterable[Record]) -> list[list[Record]]:
    """Those that tell of one call; one that names no span stands for itself."""
    together: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        together.setdefault((record.trace, record.span or key_of_record(record)), []).append(record)
    return list(together.values())


def _read_together(reading: Reading, records: Sequence[Record]) -> None:
    """One message a record."""
    content = content_of_records(records)
    if not content or not records[0].span:
        reading.ignored.update(record.name for record in records)
        return
    read_call(reading, structs.replace(_call(records[-1]), content=content, at=time_of(records[0])))
    reading.accepted += len(records)


def _call(record: Record) -> ModelCall:
    attributes = {**mapping_of(record.body), **record.attributes}
    agent, version = agent_of(attributes, record.source)
    return ModelCall(
        id=record.span if record.span and not _is_told_twice(record) else _key(record),
        conversation=conversation_of(record) or record.trace,
        trace=record.trace or _key(record),
        attributes=attributes,
        content=content_told(attributes, cut=record.cut),
        at=time_of(record),
        agent=agent,
        agent_version=version,
        tags=tuple(tags_of(record)),
        error=text_of(attributes.get("error.type")),
    )


def _key(record: Record) -> str:
    """Records have no ids of their own: what was exported twice has the same key."""
    at = time_of(record)
    if at is not None and _is_told_twice(record):
        stamp = at.isoformat(timespec="milliseconds")
        return blake2b(f"{conversation_of(record)}\n{stamp}".encode(), digest_size=16).hexdigest()
    return key_of_record(record)


def _is_told_twice(record: Record) -> bool:
    """Gemini CLI tells of each call in its own words and in the conventions', at the same millisecond."""
    ours = text_of(record.source.attributes.get("service.name")).startswith("gemini")
    return record.name == "gemini_cli.api_response" or (record.name == _DETAILS and ours)


class _Summaries:
    """What Claude Code's summarising calls cost and answered, by turn; the words only with
    OTEL_LOG_ASSISTANT_RESPONSES=1."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        self._costs: dict[tuple[str, str], Usage] = {}

    def note(self, record: Record) -> None:
        """Keep what is told of a summarising call."""
        attributes = record.attributes
        if attributes.get("query_source") != "compact":
            return
        text = text_of(attributes.get("response"))
        if text and text != REDACTED:
            self._texts[self._turn(record)] = text
        if record.name == "claude_code.api_request":
            self._costs[self._turn(record)] = usage_of(attributes)

    def complete(self, compaction: CompactionEvent, record: Record) -> CompactionEvent:
        """With what the model's last summarising call in the record's turn wrote and cost."""
        turn = self._turn(record)
        told = structs.replace(compaction, cost=self._costs.pop(turn, compaction.cost))
        text = self._texts.pop(turn, "")
        if not text or told.summary_state is not SummaryState.ABSENT:
            return told
        match = _SUMMARY.search(text)
        return structs.replace(
            told, summary=match.group(1).strip() if match else text, summary_state=SummaryState.TEXT
        )  # fmt: skip

    @staticmethod
    def _turn(record: Record) -> tuple[str, str]:
        return conversation_of(record), text_of(record.attributes.get("prompt.id"))
