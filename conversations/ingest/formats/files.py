"""Recognise a transcript by its content, and parse whole files, streamed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from conversations.errors import UnknownFormat
from conversations.ingest.events import Event, Problem
from conversations.ingest.formats.base import Output, Parser, key_of, mapping_of, text_of
from conversations.ingest.formats.claude_code import ClaudeCode
from conversations.ingest.formats.claude_records import SILENT as CLAUDE_SILENT
from conversations.ingest.formats.codex import Codex
from conversations.ingest.formats.lines import MAX_LINE_BYTES

#: How much of a file is enough to recognise it: the first lines hold system prompts of up to 100 kB.
HEAD_BYTES = 1024 * 1024

PARSERS: dict[str, type[ClaudeCode] | type[Codex]] = {ClaudeCode.source: ClaudeCode, Codex.source: Codex}
_CODEX_TYPES = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted", "world_state"})
_CLAUDE_TYPES = CLAUDE_SILENT | {
    "ai-title",
    "assistant",
    "attachment",
    "cost-state",
    "custom-title",
    "queue-operation",
    "summary",
    "system",
    "user",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's format, and what it says, in file order. The events can be iterated once."""

    source: str
    outputs: Iterator[Output]

    def events_and_problems(self) -> tuple[list[Event], list[Problem]]:
        """All of it at once, apart; a repeated event stands here as often as it was said."""
        events: list[Event] = []
        problems: list[Problem] = []
        for output in self.outputs:
            if isinstance(output, Problem):
                problems.append(output)
            else:
                events.append(output)
        return events, problems


def parser_for(source: str) -> Parser:
    """A new parser of the format. Raises UnknownFormat."""
    if source not in PARSERS:
        raise UnknownFormat(f'There is no transcript format "{source}".', mend=f"Known are {', '.join(PARSERS)}.")
    return PARSERS[source]()


def resume_parser(source: str, checkpoint: dict[str, object]) -> Parser:
    """The parser that goes on from a checkpoint. Raises UnknownFormat."""
    parser_for(source)
    return PARSERS[source].resume(checkpoint)


def recognise(head: bytes) -> str | None:
    """The format by the content of the first lines; None if it is none we read."""
    for record in _records(head):
        kind = text_of(record.get("type"))
        if kind in _CODEX_TYPES and isinstance(record.get("payload"), dict):
            return Codex.source
        if not kind and {"id", "timestamp"} <= record.keys() and ("instructions" in record or "git" in record):
            return Codex.source
        if kind in _CLAUDE_TYPES and "payload" not in record:
            return ClaudeCode.source
    return None


def source_key(head: bytes) -> str | None:
    """What stays equal while a transcript grows: format, session and, for a subagent's file, agent; None if unknown."""
    source = recognise(head)
    for record in _records(head) if source else ():
        session = _session(record, source)
        if session:
            agent = key_of(record.get("agentId")) if record.get("isSidechain") is True else ""
            return ":".join(filter(None, (source, session, agent)))
    return None


def _session(record: dict[str, object], source: str | None) -> str:
    if source == Codex.source:
        meta = mapping_of(record.get("payload")) if "payload" in record else record
        return key_of(meta.get("id")) if record.get("type") in ("session_meta", None) else ""
    return key_of(record.get("sessionId")) or key_of(record.get("session_id"))


def _records(head: bytes) -> Iterator[dict[str, object]]:
    """The objects on the first lines; what is broken or cut off is passed over."""
    for line in head[:HEAD_BYTES].splitlines():
        try:
            record = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def parse_file(path: str | Path) -> Parsed:
    """The file's events and problems, line by line. Raises UnknownFormat, OSError."""
    with Path(path).open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    source = recognise(head)
    if source is None:
        raise UnknownFormat(
            f"{Path(path).name} is no transcript that is read here.",
            mend="Claude Code session files and Codex rollouts are read; the first line decides.",
        )
    return Parsed(source, _outputs(Path(path), parser_for(source)))


def _outputs(path: Path, parser: Parser) -> Iterator[Output]:
    with path.open("rb") as stream:
        for number, line in enumerate(read_lines(stream), start=1):
            yield from parser.feed(line, number)
    yield from parser.finish()


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; of one beyond MAX_LINE_BYTES only the beginning, one byte too long, so that memory stays bounded."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES + 1)
