"""Claude Code transcripts: session files, subagent files and `--output-format stream-json` logs.

The boundary is the record `system/compact_boundary`; file order is the authority on order, links between records are
not: the record a boundary names as its last one is missing from the file in 18 of 52 real boundaries.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Self

import msgspec
from msgspec import structs

from conversations.ingest.events import (
    Block,
    CompactionEvent,
    ConversationEvent,
    MessageEvent,
    RequestEvent,
    Summary,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from conversations.ingest.formats import claude_attachments
from conversations.ingest.formats.base import (
    STRIDE,
    Output,
    State,
    Unknown,
    list_of,
    mapping_of,
    milliseconds,
    moment,
    strings_of,
    text_of,
    tokens_of,
)
from conversations.ingest.formats.claude_content import blocks_of, spoken_text
from conversations.ingest.formats.claude_records import Memory, Record, Spending, Thread, Waiting
from conversations.ingest.formats.claude_summary import is_wrapped, unwrap
from conversations.ingest.formats.lines import BadLine, decode_line, problem
from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState, Trigger

AGENT = "claude-code"

#: Known record types from which no message comes.
SILENT = frozenset(
    {
        "agent-color", "agent-name", "agent-setting", "api-request", "api-request-blob", "api-request-shape",
        "atis-latch", "attribution-snapshot", "auth_status", "bridge-session", "content-replacement",
        "control_request", "control_response", "file-history-snapshot", "keep_alive", "last-prompt", "mode",
        "permission-mode", "pr-link", "progress", "prompt_suggestion", "rate_limit_event", "result",
        "speculation-accept", "stream_event", "tag", "task-summary", "tool_progress", "tool_use_summary",
        "worktree-state",
    }
)  # fmt: skip
SILENT_SYSTEM = frozenset(
    {
        "agents_killed", "api_error", "api_retry", "away_summary", "bridge_status", "elicitation_complete",
        "files_persisted", "hook_progress", "hook_response", "hook_started", "informational", "init",
        "memory_saved", "permission_retry", "post_turn_summary", "scheduled_task_fire", "session_state_changed",
        "stop_hook_summary", "task_notification", "task_progress", "task_started", "task_updated", "thinking",
        "turn_duration",
    }
)  # fmt: skip

#: 2.1.14 to 2.1.29 log 1 or 2 output tokens a response whatever was written: 456 responses, 1,157 tokens.
_PLACEHOLDERS = ((2, 1, 14), (2, 1, 29))
_SYNTHETIC = "<synthetic>"  # the harness's own words in the assistant's place; never billed
#: Ranks of a title's sources: the first prompt is only used until something better comes.
_PROMPT, _LISTED, _GENERATED, _CHOSEN = 1, 2, 3, 4
_TITLE_CHARACTERS = 120
_MOST_SIDECHAIN_RECORDS = 2_000  # of interleaved sidechains (before agent ids); real ones have 50 records
_MOST_TAKEN = 100
_DELEGATING_TOOLS = frozenset({"Agent", "Task", "Workflow"})

_HARNESS_TAGS = (
    "<local-command-", "<bash-input>", "<bash-stdout>", "<bash-stderr>", "<task-notification>", "<system-reminder>",
    "<user-prompt-submit-hook>", "<teammate-message", "<agent-notification>", "[Request interrupted by user",
)  # fmt: skip
_COMMAND = re.compile(r"\s*<command-(?:name|message)>")
_COMMAND_NAME = re.compile(r"<command-name>/?([^<]*)</command-name>")
_COMMAND_ARGS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SLASH = re.compile(r"/[A-Za-z][\w:.-]*(?:\s|$)")

Yields = Iterator[Output]


class ClaudeCode:
    """Parser of one transcript; see `base.Parser`."""

    source: ClassVar[str] = "claude_code"

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._unknown = Unknown(self._memory.unknown)
        self._decoder = msgspec.json.Decoder(Record)
        self._handlers: dict[object, Callable[[Record, int], Yields]] = {
            "user": self._user,
            "assistant": self._assistant,
            "system": self._system,
            "attachment": self._attachment,
            "queue-operation": self._queue,
            "summary": self._listed_title,
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
        handler = self._handlers.get(record.type) if isinstance(record.type, str) else None
        yield from self._prologue(record, number)
        if handler:
            yield from handler(record, number)
        elif record.type not in SILENT:
            self._unknown.count(text_of(record.type) or "(none)", number)

    def finish(self) -> Yields:
        """The record types that were not understood."""
        yield from self._unknown.problems()

    def checkpoint(self) -> State:
        """What is remembered, as JSON."""
        self._memory.unknown = self._unknown.seen
        state: State = msgspec.to_builtins(self._memory)
        return state

    @classmethod
    def resume(cls, checkpoint: State) -> Self:
        """Goes on after the line of the checkpoint."""
        return cls(msgspec.convert(checkpoint, Memory))

    # --- which conversation -------------------------------------------------------------------------------------------

    def _prologue(self, record: Record, number: int) -> Yields:
        """Find the conversation and say what this record newly tells about it."""
        session = text_of(record.session_id) or text_of(record.stream_session_id)
        if session:
            self._memory.session = session
        uuid = text_of(record.uuid)
        if uuid and self._memory.session:
            yield from self._begin(record)
            if uuid in self._memory.titles:
                yield from self._main_title(self._memory.titles.pop(uuid), _LISTED)

    def _begin(self, record: Record) -> Yields:
        if record.type == "progress" and record.is_sidechain is True:
            return
        thread = self._thread(record)
        version = text_of(record.version) or text_of(record.stream_version)
        if not thread.begun:
            thread.begun = True
            yield self._opening(thread, record, version)
        elif version and version != thread.version:
            yield ConversationEvent(conversation=thread.id, agent=AGENT, agent_version=version)
        thread.version = version or thread.version

    def _opening(self, thread: Thread, record: Record, version: str) -> ConversationEvent:
        """The first record tells whether the file holds the conversation from its beginning."""
        reason = _missing_beginning(record)
        thread.incomplete = bool(reason)
        known: dict[str, Any] = {"agent_version": version, "cwd": text_of(record.cwd), "parent": thread.parent}
        known = {name: value for name, value in known.items() if value}
        if reason:
            known["incomplete_reason"] = reason
        return ConversationEvent(conversation=thread.id, agent=AGENT, at=moment(record.timestamp), complete=not reason, **known)

    def _thread(self, record: Record) -> Thread:
        memory = self._memory
        key = self._thread_key(record, text_of(record.uuid))
        if key not in memory.threads:
            memory.threads[key] = Thread(id=key, parent=memory.session if key != memory.session else "")
        return memory.threads[key]

    def _thread_key(self, record: Record, uuid: str) -> str:
        session = self._memory.session
        if isinstance(record.stream_parent_tool, str) and record.stream_parent_tool:
            return f"{session}/{record.stream_parent_tool}"
        if record.is_sidechain is not True:
            return session
        if isinstance(record.agent_id, str) and record.agent_id:
            return f"{session}/agent-{record.agent_id}"
        return self._sidechain(session, uuid, text_of(record.parent_uuid))

    def _sidechain(self, session: str, uuid: str, parent: str) -> str:
        """Before agent ids: sidechains are interleaved, and told apart by the chain of parents up to their root."""
        chains = self._memory.sidechains
        key = chains.get(uuid) or chains.get(parent) or f"{session}/sidechain-{uuid or parent}"
        if uuid and uuid not in chains:
            chains[uuid] = key
            if len(chains) > _MOST_SIDECHAIN_RECORDS:
                del chains[next(iter(chains))]
        return key

    # --- messages -----------------------------------------------------------------------------------------------------

    def _user(self, record: Record, number: int) -> Yields:
        if not self._memory.session:
            yield _no_session(number)
            return
        thread = self._thread(record)
        content = mapping_of(record.message).get("content")
        if record.is_compact_summary is True or self._is_streamed_summary(record, thread, content):
            yield from self._summary(record, number, thread, content)
            return
        blocks = blocks_of(content, lambda kind: self._unknown.count(kind, number))
        said = spoken_text(content)
        self._delivered(said)
        yield from self._command(thread, said)
        origin = _user_origin(record, thread, said)
        thread.caveat = said.startswith("<local-command-caveat>")
        thread.asked_at = moment(record.timestamp) or thread.asked_at
        yield self._message(record, number, thread, _user_role(blocks), blocks, origin)
        if origin is Origin.SPOKEN and said:
            yield from self._title(thread, _as_typed(said), _PROMPT)

    def _message(
        self, record: Record, number: int, thread: Thread, role: Role, blocks: list[Block], origin: Origin
    ) -> MessageEvent:
        return MessageEvent(
            id=text_of(record.uuid) or f"line-{number}",
            conversation=thread.id,
            at=moment(record.timestamp),
            sequence=number * STRIDE,
            role=role,
            content=blocks,
            origin=origin,
            agent=AGENT,
            agent_version=thread.version,
        )

    def _assistant(self, record: Record, number: int) -> Yields:
        if not self._memory.session:
            yield _no_session(number)
            return
        thread = self._thread(record)
        message = mapping_of(record.message)
        synthetic = message.get("model") == _SYNTHETIC or record.is_api_error_message is True
        blocks = blocks_of(message.get("content"), lambda kind: self._unknown.count(kind, number))
        yield self._message(record, number, thread, Role.ASSISTANT, blocks, Origin.HARNESS if synthetic else Origin.SPOKEN)
        if any(isinstance(block, ToolCall) and block.name in _DELEGATING_TOOLS for block in blocks):
            thread.spending.delegated = True
        if not synthetic:
            thread.restoring = False
            yield from self._request(record, number, thread, message)

    # --- requests -----------------------------------------------------------------------------------------------------

    def _request(self, record: Record, number: int, thread: Thread, message: dict[str, Any]) -> Yields:
        """One model call is logged on as many lines as its response has blocks; the last one counts."""
        request = text_of(message.get("id"))
        usage = mapping_of(message.get("usage"))
        if not request or not usage:
            return
        at = moment(record.timestamp)
        if request != thread.request:
            thread.request, thread.request_started = request, thread.asked_at
            _close_request(thread)
        thread.model = text_of(message.get("model"))
        counted = _usage(usage, thread.version)
        thread.spending.current = _counts(usage)
        yield RequestEvent(
            id=request,
            conversation=thread.id,
            at=at,
            sequence=number * STRIDE + 1,
            model=thread.model,
            usage=counted,
            context_tokens=_context(usage),
            stop_reason=text_of(message.get("stop_reason")),
            duration_ms=milliseconds(thread.request_started, at),
        )

    def _cost(self, record: Record, number: int) -> Yields:
        """Cumulative usage, the summariser's included: what no request accounts for is the compaction's."""
        thread = self._memory.threads.get(self._memory.session)
        if thread is None:
            return
        spending = thread.spending
        totals = {model: _totals(entry) for model, entry in mapping_of(record.model_usage).items()}
        _close_request(thread)
        share = _unaccounted(spending, totals, thread.model)
        if share and thread.compaction and spending.compactions == 1 and not spending.delegated:
            thread.compaction = structs.replace(thread.compaction, cost=share)
            yield thread.compaction
        thread.spending = Spending(totals=totals)

    # --- compactions --------------------------------------------------------------------------------------------------

    def _system(self, record: Record, number: int) -> Yields:
        subtype = record.subtype
        if subtype in ("compact_boundary", "microcompact_boundary"):
            yield from self._boundary(record, number)
        elif subtype == "status":
            yield from self._status(record, number)
        elif subtype in ("local_command", "local_command_output"):
            yield from self._local_command(record, number)
        elif subtype not in SILENT_SYSTEM:
            self._unknown.count(f"system/{text_of(subtype) or '(none)'}", number)

    def _boundary(self, record: Record, number: int) -> Yields:
        uuid = text_of(record.uuid) or f"line-{number}"
        if not self._memory.session:
            yield _no_session(number)
            return
        if uuid in self._memory.boundaries:
            return
        self._memory.boundaries.append(uuid)
        thread = self._thread(record)
        if record.subtype == "microcompact_boundary":
            yield _microcompaction(record, number, thread.id, uuid)
            return
        thread.boundaries += 1
        thread.spending.compactions += 1
        thread.restoring = True
        thread.compaction = self._compaction(record, number, thread, uuid)
        yield thread.compaction

    def _compaction(self, record: Record, number: int, thread: Thread, uuid: str) -> CompactionEvent:
        meta = mapping_of(record.compact_metadata) or mapping_of(record.stream_compact_metadata)
        trigger = _trigger(meta)
        kept = _either(meta, "preservedMessages", "preserved_messages")
        instructions = self._memory.instructions if trigger is Trigger.MANUAL else ""
        self._memory.instructions = ""
        return CompactionEvent(
            id=uuid,
            conversation=thread.id,
            at=moment(record.timestamp),
            sequence=number * STRIDE,
            kind=CompactionKind.CLIENT,
            trigger=trigger,
            instructions=instructions or text_of(_either(meta, "userContext", "user_context")),
            kept=_kept(mapping_of(kept)),
            tokens_before=tokens_of(_either(meta, "preTokens", "pre_tokens")),
            tokens_after=tokens_of(_either(meta, "postTokens", "post_tokens")),
            duration_ms=tokens_of(_either(meta, "durationMs", "duration_ms")),
            model=thread.model,
            complete=not (thread.incomplete and thread.boundaries == 1),
            raw=meta,
        )

    def _summary(self, record: Record, number: int, thread: Thread, content: object) -> Yields:
        """The summary is the next record marked as one, wherever it stands after the boundary."""
        summary = unwrap(spoken_text(content))
        message = self._message(record, number, thread, Role.USER, [summary], Origin.SUMMARY)
        thread.asked_at = message.at or thread.asked_at
        if thread.compaction and not thread.compaction.summary_message:
            partial = mapping_of(record.summarize_metadata)
            thread.compaction = structs.replace(
                thread.compaction,
                summary_message=message.id,
                summary_state=SummaryState.TEXT if summary.text.strip() else SummaryState.ABSENT,
                instructions=thread.compaction.instructions or text_of(partial.get("userContext")),
            )
            yield thread.compaction
        yield message

    def _is_streamed_summary(self, record: Record, thread: Thread, content: object) -> bool:
        """stream-json carries no mark: there it is the wrapped user message that follows a boundary."""
        if not record.stream_session_id or thread.compaction is None or thread.compaction.summary_message:
            return False
        return thread.restoring and is_wrapped(spoken_text(content))

    def _status(self, record: Record, number: int) -> Yields:
        if record.stream_compact_result != "failed" or not self._memory.session:
            return
        yield CompactionEvent(
            id=text_of(record.uuid) or f"line-{number}",
            conversation=self._thread(record).id,
            at=moment(record.timestamp),
            sequence=number * STRIDE,
            summary_state=SummaryState.FAILED,
            error=text_of(record.stream_compact_error) or "The harness reported that the compaction failed.",
        )

    def _local_command(self, record: Record, number: int) -> Yields:
        text = text_of(record.content)
        if not text or not self._memory.session:
            return
        thread = self._thread(record)
        yield from self._command(thread, text)
        yield self._message(record, number, thread, Role.SYSTEM, [Text(text)], Origin.HARNESS)

    def _command(self, thread: Thread, text: str) -> Yields:
        """Instructions of /compact: its record stands just after the boundary, with an earlier timestamp."""
        if "<command-name>" not in text or _command_name(text) != "compact":
            return
        instructions = _command_args(text)
        compaction = thread.compaction
        if compaction and thread.restoring and compaction.trigger is Trigger.MANUAL:
            if instructions and instructions != compaction.instructions:
                thread.compaction = structs.replace(compaction, instructions=instructions)
                yield thread.compaction
        else:
            self._memory.instructions = instructions

    # --- what the harness adds ----------------------------------------------------------------------------------------

    def _attachment(self, record: Record, number: int) -> Yields:
        if not self._memory.session:
            yield _no_session(number)
            return
        attachment = mapping_of(record.attachment)
        kind = text_of(attachment.get("type"))
        if kind == "queued_command":
            yield from self._queued_attachment(record, number, attachment)
            return
        if not claude_attachments.is_known(kind) and record.rendered is None:
            self._unknown.count(f"attachment/{kind or '(none)'}", number)
        text = claude_attachments.render(attachment, record.rendered)
        if text:
            thread = self._thread(record)
            origin = Origin.RESTORED if thread.restoring else Origin.HARNESS
            yield self._message(record, number, thread, Role.SYSTEM, [Text(text)], origin)

    def _queued_attachment(self, record: Record, number: int, attachment: dict[str, Any]) -> Yields:
        prompt = attachment.get("prompt")
        said = spoken_text(prompt)
        if said in self._memory.taken:  # told when it left the queue
            self._memory.taken.remove(said)
            return
        self._delivered(said)
        thread = self._thread(record)
        blocks = blocks_of(prompt, lambda kind: self._unknown.count(kind, number))
        origin = Origin.QUEUED if _is_human(attachment, said) else Origin.HARNESS
        thread.asked_at = moment(record.timestamp) or thread.asked_at
        yield self._message(record, number, thread, Role.USER, blocks, origin)

    # --- messages typed while the agent works -------------------------------------------------------------------------

    def _queue(self, record: Record, number: int) -> Yields:
        """Older versions log the queue but not the delivery in mid-turn: what is removed has been delivered."""
        text = text_of(record.content)
        if record.operation == "enqueue":
            self._enqueue(text, moment(record.timestamp))
        elif record.operation == "remove" and self._memory.queue:
            yield from self._take(self._memory.queue.pop(0), record, number)
        elif record.operation == "popAll":  # back into the input field, to be edited
            self._memory.queue.clear()

    def _enqueue(self, text: str, at: datetime | None) -> None:
        if text.startswith("/compact"):
            self._memory.instructions = text.removeprefix("/compact").strip()
        elif text and not _is_harness_text(text) and not _SLASH.match(text):
            self._memory.queue.append(Waiting(text, at))

    def _take(self, waiting: Waiting, record: Record, number: int) -> Yields:
        memory = self._memory
        if not memory.session:
            return
        memory.taken = [*memory.taken, waiting.text][-_MOST_TAKEN:]
        thread = memory.threads.setdefault(memory.session, Thread(id=memory.session))
        yield MessageEvent(
            id=f"queued-{number}",
            conversation=thread.id,
            at=waiting.at,
            sequence=number * STRIDE,
            role=Role.USER,
            content=[Text(waiting.text)],
            origin=Origin.QUEUED,
            agent=AGENT,
            agent_version=thread.version,
        )

    def _delivered(self, said: str) -> None:
        """A waiting message that now stands in the log as a record of its own is not told a second time."""
        queue = self._memory.queue
        if queue and said:
            self._memory.queue = [waiting for waiting in queue if waiting.text.strip() != said.strip()]

    # --- titles -------------------------------------------------------------------------------------------------------

    def _title(self, thread: Thread, title: str, rank: int) -> Yields:
        title = " ".join(title.split())
        if not title or rank < thread.title_rank or (rank == _PROMPT == thread.title_rank):
            return
        thread.title_rank = rank
        short = title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1].rstrip() + "…"
        yield ConversationEvent(conversation=thread.id, title=short)

    def _main_title(self, title: str, rank: int) -> Yields:
        session = self._memory.session
        if session:
            yield from self._title(self._memory.threads.setdefault(session, Thread(id=session)), title, rank)

    def _chosen_title(self, record: Record, number: int) -> Yields:
        yield from self._main_title(text_of(record.custom_title), _CHOSEN)

    def _generated_title(self, record: Record, number: int) -> Yields:
        yield from self._main_title(text_of(record.ai_title), _GENERATED)

    def _listed_title(self, record: Record, number: int) -> Yields:
        """A `summary` record titles the conversation that ends in its leaf: at the head of a file, often another one."""
        if self._memory.session:
            yield from self._main_title(text_of(record.summary), _LISTED)
        elif record.leaf_uuid:
            self._memory.titles[text_of(record.leaf_uuid)] = text_of(record.summary)


def _no_session(number: int) -> Output:
    return problem("bad_field", "This record names no session, and none before it did.", line=number)


def _missing_beginning(record: Record) -> str:
    """Why the conversation that opens with this record lacks its beginning; "" if it does not."""
    if record.subtype == "compact_boundary":
        return "The file begins at a compaction copied from another session: what it replaced is not in the data."
    if record.is_compact_summary is True:
        return "The file begins with the summary of an earlier part that is not in the data."
    if isinstance(record.parent_uuid, str) and record.parent_uuid:
        return "The file begins in mid-session: its first record answers one that is not in the data."
    return ""


def _user_role(blocks: list[Block]) -> Role:
    """Tool results travel in user records."""
    return Role.TOOL if any(isinstance(block, ToolResult) for block in blocks) else Role.USER


def _user_origin(record: Record, thread: Thread, said: str) -> Origin:
    kind = mapping_of(record.origin).get("kind")
    if record.is_meta is True or (kind is not None and kind != "human") or _is_harness_text(said):
        return Origin.HARNESS
    if _COMMAND.match(said):
        # A slash command's arguments are the user's own words, unless a local command takes them (/model opus).
        local = thread.caveat or _command_name(said) == "compact" or not _command_args(said)
        return Origin.HARNESS if local else Origin.SPOKEN
    return Origin.SPOKEN


def _is_harness_text(text: str) -> bool:
    return text.lstrip().startswith(_HARNESS_TAGS) or _is_task_payload(text)


def _is_task_payload(text: str) -> bool:
    """Background tasks are announced in the queue as JSON with a task id."""
    if not text.startswith("{"):
        return False
    try:
        return "task_id" in mapping_of(msgspec.json.decode(text))
    except (msgspec.MsgspecError, RecursionError):
        return False


def _is_human(attachment: dict[str, Any], said: str) -> bool:
    kind = mapping_of(attachment.get("origin")).get("kind")
    return kind in (None, "human") and attachment.get("commandMode") in (None, "prompt") and not _is_harness_text(said)


def _command_name(text: str) -> str:
    match = _COMMAND_NAME.search(text)
    return match.group(1).strip() if match else ""


def _command_args(text: str) -> str:
    match = _COMMAND_ARGS.search(text)
    return match.group(1).strip() if match else ""


def _as_typed(said: str) -> str:
    """A slash command as the user typed it."""
    return f"/{_command_name(said)} {_command_args(said)}" if _COMMAND.match(said) else said


def _either(meta: dict[str, Any], camel: str, snake: str) -> Any:  # noqa: ANN401 -- any JSON value
    return meta.get(camel, meta.get(snake))


def _trigger(meta: dict[str, Any]) -> Trigger:
    value = meta.get("trigger")
    return Trigger(value) if value in ("auto", "manual") else Trigger.UNKNOWN


def _kept(preserved: dict[str, Any]) -> list[str]:
    """`uuids` are the messages as sent; `allUuids` adds records folded into them. Both stay."""
    return strings_of([*list_of(preserved.get("uuids")), *list_of(_either(preserved, "allUuids", "all_uuids"))])


def _microcompaction(record: Record, number: int, conversation: str, uuid: str) -> CompactionEvent:
    meta = mapping_of(record.microcompact_metadata)
    before, saved = tokens_of(meta.get("preTokens")), tokens_of(meta.get("tokensSaved"))
    attachments = strings_of(meta.get("clearedAttachmentUUIDs"))
    return CompactionEvent(
        id=uuid,
        conversation=conversation,
        at=moment(record.timestamp),
        sequence=number * STRIDE,
        kind=CompactionKind.MICROCOMPACT,
        trigger=_trigger(meta),
        cleared=strings_of(meta.get("compactedToolIds")),
        dropped=attachments or None,
        tokens_before=before,
        tokens_after=before - saved if before is not None and saved is not None and saved <= before else None,
        raw=meta,
    )


def _usage(usage: dict[str, Any], version: str) -> Usage:
    return Usage(
        input_tokens=tokens_of(usage.get("input_tokens")),
        cache_read_tokens=tokens_of(usage.get("cache_read_input_tokens")),
        cache_write_tokens=tokens_of(usage.get("cache_creation_input_tokens")),
        output_tokens=None if _has_placeholders(version) else tokens_of(usage.get("output_tokens")),
    )


def _has_placeholders(version: str) -> bool:
    try:
        numbers = tuple(int(part) for part in version.split(".")[:3])
    except ValueError:
        return False
    return _PLACEHOLDERS[0] <= numbers <= _PLACEHOLDERS[1]


def _context(usage: dict[str, Any]) -> int | None:
    """Of a response made in several passes only the last says how large the context is; None = as `usage` says."""
    passes = [entry for entry in map(mapping_of, list_of(usage.get("iterations"))) if entry.get("type", "message") == "message"]
    if len(passes) < 2:  # noqa: PLR2004 -- one pass: the totals are its own
        return None
    count = _counts(passes[-1])
    return count[0] + count[2] + count[3]


def _counts(usage: dict[str, Any]) -> list[int]:
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return [tokens_of(usage.get(name)) or 0 for name in names]


def _totals(entry: object) -> list[int]:
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    return [tokens_of(mapping_of(entry).get(name)) or 0 for name in names]


def _close_request(thread: Thread) -> None:
    """The request under way is complete: add it to what was spent."""
    spending = thread.spending
    if spending.current is not None:
        spent = spending.spent.setdefault(thread.model, [0, 0, 0, 0])
        spending.spent[thread.model] = [a + b for a, b in zip(spent, spending.current, strict=True)]
        spending.current = None


def _unaccounted(spending: Spending, totals: dict[str, list[int]], model: str) -> Usage | None:
    """Tokens of the model since the last cost-state that no request in the file accounts for."""
    if spending.totals is None or model not in totals:
        return None
    before = spending.totals.get(model, [0, 0, 0, 0])
    spent = spending.spent.get(model, [0, 0, 0, 0])
    rest = [now - then - used for now, then, used in zip(totals[model], before, spent, strict=True)]
    if min(rest) < 0 or not any(rest):
        return None
    return Usage(input_tokens=rest[0], output_tokens=rest[1], cache_read_tokens=rest[2], cache_write_tokens=rest[3])


__all__ = ["ClaudeCode", "Summary"]
