"""Claude Code transcripts: session files, subagent files and `--output-format stream-json` logs.

The boundary is the record `system/compact_boundary`; file order is the authority on order, links between records are
not: the record a boundary names as its last one is missing from the file in 18 of 52 real boundaries.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from msgspec import structs

from conversations.ingest.events import (
    Block,
    CompactionEvent,
    ConversationEvent,
    MessageEvent,
    RequestEvent,
    Text,
    ToolCall,
)
from conversations.ingest.formats import claude_attachments, claude_queue
from conversations.ingest.formats.base import (
    REASON_CHARACTERS,
    STRIDE,
    Output,
    Remembering,
    key_of,
    mapping_of,
    milliseconds,
    moment,
    name_of,
    short_title,
    text_of,
)
from conversations.ingest.formats.claude_branches import ASKED, PROGRESS, SAID
from conversations.ingest.formats.claude_compactions import (
    compaction_of,
    failure_of,
    last_before,
    microcompaction_of,
    without_abandoned,
)
from conversations.ingest.formats.claude_content import blocks_of, spoken_text
from conversations.ingest.formats.claude_records import (
    SILENT,
    SILENT_SYSTEM,
    Memory,
    Record,
    Spending,
    Thread,
    Waiting,
)
from conversations.ingest.formats.claude_speakers import (
    CAVEAT,
    as_typed,
    command_args,
    command_name,
    is_human,
    is_message,
    origin_of,
    role_of,
    sets_going,
)
from conversations.ingest.formats.claude_summary import is_wrapped, unwrap
from conversations.ingest.formats.claude_threads import AGENT, news_of, place, thread_of
from conversations.ingest.formats.claude_usage import (
    close_request,
    context_of,
    counts_of,
    totals_of,
    unaccounted,
    usage_of,
)
from conversations.ingest.formats.lines import BadLine, decode_line, problem
from conversations.vocabulary import Origin, Role, SummaryState, Trigger

_SYNTHETIC = "<synthetic>"  # the harness's own words in the assistant's place; never billed
#: Ranks of a title's sources: the first prompt is only used until something better comes.
_PROMPT, _LISTED, _GENERATED, _CHOSEN = 1, 2, 3, 4
#: Boundaries, queued messages and listed titles: real files have at most 30 of each, a hostile one must stay cheap.
_MOST_REMEMBERED = 500
_PLACING = ("user", "system")  # records whose place on a branch depends on what they say
_PLACED = {"assistant": SAID, "progress": PROGRESS}
_DELEGATING_TOOLS = frozenset({"Agent", "Task", "Workflow"})

Yields = Iterator[Output]


class ClaudeCode(Remembering[Memory]):
    """Parser of one transcript; see `base.Parser`."""

    source: ClassVar[str] = "claude_code"
    memory_type = Memory

    def __init__(self, memory: Memory | None = None) -> None:
        super().__init__(memory)
        self._decoder = msgspec.json.Decoder(Record)
        self._handlers: dict[object, Callable[[Record, int, Thread], Yields]] = {
            "user": self._user,
            "assistant": self._assistant,
            "system": self._system,
            "attachment": self._attachment,
            "queue-operation": self._queue,
            "custom-title": self._chosen_title,
            "ai-title": self._generated_title,
            "cost-state": self._cost,
        }

    def feed(self, line: bytes, number: int) -> Yields:
        """What one line says."""
        if not line.strip():
            return
        try:
            record = decode_line(self._decoder, line, number)
        except BadLine as bad:
            yield bad.problem
            return
        kind = text_of(record.type)
        handler = self._handlers.get(kind)
        thread = thread_of(self._memory, record)
        if thread and record.uuid:
            if kind not in _PLACING:
                place(record, thread, _PLACED.get(kind, 0))
            yield from self._news(record, thread)
        if kind == "summary":
            yield from self._listed_title(record)
        elif handler and thread:
            yield from handler(record, number, thread)
        elif handler:
            yield from self._nameless(number)
        elif kind not in SILENT:
            self._unknown.count(kind or "(none)", number)

    def _news(self, record: Record, thread: Thread) -> Yields:
        news = news_of(record, thread)
        if news:
            yield news
        titles = self._memory.titles
        if titles and key_of(record.uuid) in titles:
            yield from self._title(thread, titles.pop(record.uuid), _LISTED)

    def _nameless(self, number: int) -> Yields:
        """Said once: a file cut off at its head can have thousands of such records."""
        if not self._memory.nameless:
            self._memory.nameless = True
            message = "This record names no session, and none before it did: it cannot be placed."
            yield problem("bad_field", message, mend="Send the file from its first line.", line=number)

    # --- messages -----------------------------------------------------------------------------------------------------

    def _user(self, record: Record, number: int, thread: Thread) -> Yields:
        content = mapping_of(record.message).get("content")
        if record.is_compact_summary is True or _is_streamed_summary(record, thread, content):
            place(record, thread, SAID)
            yield from self._summary(record, number, thread, content)
            return
        blocks = blocks_of(content, lambda kind: self._unknown.count(kind, number))
        said = spoken_text(content)
        self._delivered(said)
        yield from self._command(thread, said)
        origin = origin_of(record, said, after_caveat=thread.caveat)
        place(record, thread, SAID | ASKED if sets_going(blocks, said, origin) else SAID)
        thread.caveat = said.startswith(CAVEAT)
        thread.asked_at = moment(record.timestamp) or thread.asked_at
        yield self._message(record, number, thread, (role_of(blocks), origin), blocks)
        if origin is Origin.SPOKEN and said:
            yield from self._title(thread, as_typed(said), _PROMPT)

    def _message(
        self, record: Record, number: int, thread: Thread, voice: tuple[Role, Origin], blocks: list[Block]
    ) -> MessageEvent:
        role, origin = voice
        return MessageEvent(
            id=key_of(record.uuid) or f"line-{number}",
            conversation=thread.id,
            at=moment(record.timestamp),
            sequence=number * STRIDE,
            role=role,
            content=blocks,
            origin=origin,
            agent=AGENT,
            agent_version=thread.version,
        )

    def _assistant(self, record: Record, number: int, thread: Thread) -> Yields:
        message = mapping_of(record.message)
        synthetic = message.get("model") == _SYNTHETIC or record.is_api_error_message is True
        origin = Origin.HARNESS if synthetic else Origin.SPOKEN
        blocks = blocks_of(message.get("content"), lambda kind: self._unknown.count(kind, number))
        if not thread.parent:
            yield from self._say_queued(record, thread)
        yield self._message(record, number, thread, (Role.ASSISTANT, origin), blocks)
        if synthetic:
            return
        thread.restoring = False
        if any(isinstance(block, ToolCall) and block.name in _DELEGATING_TOOLS for block in blocks):
            thread.spending.delegated = True
        yield from self._request(record, number, thread, message)

    def _request(self, record: Record, number: int, thread: Thread, message: dict[str, Any]) -> Yields:
        """One model call is logged on as many lines as its response has blocks; the last one counts."""
        request, usage = key_of(message.get("id")), mapping_of(message.get("usage"))
        if not request or not usage:
            return
        if request != thread.request:
            close_request(thread.spending, thread.model)
            thread.request, thread.request_started = request, thread.asked_at
        thread.model = name_of(message.get("model"))
        thread.spending.current = counts_of(usage)
        at = moment(record.timestamp)
        yield RequestEvent(
            id=request,
            conversation=thread.id,
            at=at,
            sequence=number * STRIDE + 1,
            model=thread.model,
            usage=usage_of(usage, thread.version),
            context_tokens=context_of(usage),
            stop_reason=name_of(message.get("stop_reason"), REASON_CHARACTERS),
            duration_ms=milliseconds(thread.request_started, at),
        )

    # --- compactions --------------------------------------------------------------------------------------------------

    def _system(self, record: Record, number: int, thread: Thread) -> Yields:
        subtype = text_of(record.subtype)
        if subtype in ("compact_boundary", "microcompact_boundary"):
            yield from self._boundary(record, number, thread)
            return
        place(record, thread)
        if subtype == "status":
            if record.stream_compact_result == "failed":
                yield failure_of(record, number, thread)
        elif subtype in ("local_command", "local_command_output"):
            yield from self._local_command(record, number, thread)
        elif subtype not in SILENT_SYSTEM:
            self._unknown.count(f"system/{subtype or '(none)'}", number)

    def _boundary(self, record: Record, number: int, thread: Thread) -> Yields:
        uuid = key_of(record.uuid)
        if uuid in self._memory.boundaries:  # a resumed session may repeat it
            return
        if uuid:
            self._memory.boundaries.append(uuid)
            del self._memory.boundaries[:-_MOST_REMEMBERED]
        if record.subtype == "microcompact_boundary":
            place(record, thread)
            yield without_abandoned(microcompaction_of(record, number, thread), thread)
            return
        if not thread.parent:
            yield from self._say_queued(record, thread)
        thread.boundaries += 1
        thread.spending.compactions += 1
        thread.restoring = True
        compaction = compaction_of(record, number, thread, self._memory.instructions)
        thread.branches.compact(last_before(record), compaction.kept)
        place(record, thread)
        thread.compaction = without_abandoned(compaction, thread)
        self._memory.instructions = ""
        yield thread.compaction

    def _summary(self, record: Record, number: int, thread: Thread, content: object) -> Yields:
        """The summary is the next record marked as one, wherever it stands after the boundary."""
        summary = unwrap(spoken_text(content))
        message = self._message(record, number, thread, (Role.USER, Origin.SUMMARY), [summary])
        thread.asked_at = message.at or thread.asked_at
        compaction = thread.compaction
        if compaction and not compaction.summary_message:
            focus = text_of(mapping_of(record.summarize_metadata).get("userContext"))
            yield self._learn(
                thread,
                compaction,
                summary_message=message.id,
                summary_state=SummaryState.TEXT if summary.text.strip() else SummaryState.ABSENT,
                instructions=compaction.instructions or focus,
            )
        yield message

    def _learn(self, thread: Thread, compaction: CompactionEvent, **news: object) -> CompactionEvent:
        """The compaction again, with what a later record tells about it."""
        thread.compaction = structs.replace(compaction, **news)
        return thread.compaction

    def _command(self, thread: Thread, text: str) -> Yields:
        """Instructions of /compact: its record stands just after the boundary, with an earlier timestamp."""
        if "<command-name>" not in text or command_name(text) != "compact":
            return
        instructions, compaction = command_args(text), thread.compaction
        if not compaction or not thread.restoring or compaction.trigger is not Trigger.MANUAL:
            self._memory.instructions = instructions
        elif instructions and instructions != compaction.instructions:
            yield self._learn(thread, compaction, instructions=instructions)

    def _local_command(self, record: Record, number: int, thread: Thread) -> Yields:
        text = text_of(record.content)
        yield from self._command(thread, text)
        if text:
            thread.branches.say(key_of(record.uuid))
            yield self._message(record, number, thread, (Role.SYSTEM, Origin.HARNESS), [Text(text)])

    def _cost(self, record: Record, number: int, thread: Thread) -> Yields:
        """Cumulative usage, the summariser's included: what no request accounts for is the compaction's."""
        totals = totals_of(record.model_usage)
        close_request(thread.spending, thread.model)
        cost = unaccounted(thread.spending, totals, thread.model)
        if cost and thread.compaction:
            yield self._learn(thread, thread.compaction, cost=cost)
        thread.spending = Spending(totals=totals)

    # --- what the harness adds ----------------------------------------------------------------------------------------

    def _attachment(self, record: Record, number: int, thread: Thread) -> Yields:
        attachment = mapping_of(record.attachment)
        kind = text_of(attachment.get("type"))
        if kind == "queued_command":
            yield from self._queued_attachment(record, number, thread, attachment)
            return
        if record.rendered is None and not claude_attachments.is_known(kind):
            self._unknown.count(f"attachment/{kind or '(none)'}", number)
        text = claude_attachments.render(attachment, record.rendered)
        if text:
            thread.branches.say(key_of(record.uuid))
            origin = Origin.RESTORED if thread.restoring else Origin.HARNESS
            yield self._message(record, number, thread, (Role.SYSTEM, origin), [Text(text)])

    def _queued_attachment(self, record: Record, number: int, thread: Thread, attachment: dict[str, Any]) -> Yields:
        prompt = attachment.get("prompt")
        said = spoken_text(prompt)
        self._delivered(said)
        blocks = blocks_of(prompt, lambda kind: self._unknown.count(kind, number))
        thread.branches.say(key_of(record.uuid))
        origin = Origin.QUEUED if is_human(attachment, said) else Origin.HARNESS
        thread.asked_at = moment(record.timestamp) or thread.asked_at
        yield self._message(record, number, thread, (Role.USER, origin), blocks)

    # --- messages typed while the agent works -------------------------------------------------------------------------

    def _queue(self, record: Record, number: int, thread: Thread) -> Yields:
        queue = self._memory.queue
        if record.operation == "enqueue":
            self._enqueue(text_of(record.content), moment(record.timestamp))
        elif record.operation == "remove":
            claude_queue.leave(queue, number)
        elif record.operation == "popAll":
            self._memory.queue = claude_queue.taken_back(queue)
        yield from ()

    def _enqueue(self, text: str, at: datetime | None) -> None:
        if text.split(None, 1)[:1] == ["/compact"]:
            self._memory.instructions = text.strip().removeprefix("/compact").strip()
        elif is_message(text):
            self._memory.queue.append(Waiting(text, at))
            del self._memory.queue[:-_MOST_REMEMBERED]

    def _delivered(self, said: str) -> None:
        if self._memory.queue:
            self._memory.queue = claude_queue.without(self._memory.queue, said)

    def _say_queued(self, record: Record, thread: Thread) -> Yields:
        if self._memory.queue:
            for message in claude_queue.messages_of(self._memory.queue, thread):
                thread.branches.place(message.id, key_of(record.uuid), SAID | PROGRESS)
                yield message
            self._memory.queue = [entry for entry in self._memory.queue if not entry.line]

    # --- titles -------------------------------------------------------------------------------------------------------

    def _title(self, thread: Thread, text: str, rank: int) -> Yields:
        title = short_title(text)
        if title and (rank > thread.title_rank or (rank == thread.title_rank > _PROMPT)):
            thread.title_rank = rank
            yield ConversationEvent(conversation=thread.id, title=title)

    def _chosen_title(self, record: Record, number: int, thread: Thread) -> Yields:
        yield from self._title(thread, text_of(record.custom_title), _CHOSEN)

    def _generated_title(self, record: Record, number: int, thread: Thread) -> Yields:
        yield from self._title(thread, text_of(record.ai_title), _GENERATED)

    def _listed_title(self, record: Record) -> Yields:
        """A `summary` record titles the conversation that ends in its leaf; at a file's head that is often another."""
        memory = self._memory
        if memory.session in memory.threads:
            yield from self._title(memory.threads[memory.session], text_of(record.summary), _LISTED)
        elif key_of(record.leaf_uuid) and len(memory.titles) < _MOST_REMEMBERED:
            memory.titles[record.leaf_uuid] = short_title(text_of(record.summary))


def _is_streamed_summary(record: Record, thread: Thread, content: object) -> bool:
    """stream-json carries no mark: there it is the wrapped user message that follows a boundary."""
    if not record.stream_session_id or thread.compaction is None or thread.compaction.summary_message:
        return False
    return thread.restoring and is_wrapped(spoken_text(content))
