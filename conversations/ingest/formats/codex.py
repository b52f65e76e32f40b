"""Codex rollouts (`rollout-<time>-<id>.jsonl`) of all versions seen: to 0.116, 0.140, 0.142 and 0.169.

The boundary is the record `compacted`; its `replacement_history` is the new context. All older items stay in the file.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import msgspec
from msgspec import Struct, structs

from conversations.ingest.events import CompactionEvent, ConversationEvent, MessageEvent, RequestEvent, Usage
from conversations.ingest.formats import codex_items
from conversations.ingest.formats.base import (
    STRIDE,
    VERSION_CHARACTERS,
    Output,
    Remembered,
    Remembering,
    key_of,
    mapping_of,
    milliseconds,
    moment,
    name_of,
    short_title,
    text_of,
    tokens_of,
)
from conversations.ingest.formats.codex_replacement import Said, replacement_of
from conversations.ingest.formats.lines import BadLine, decode_line, problem
from conversations.vocabulary import ABANDONED, CompactionKind, Origin, Role, Trigger

AGENT = "codex"

SILENT = frozenset({"world_state", "inter_agent_communication", "inter_agent_communication_metadata", "security_state"})
SILENT_EVENTS = frozenset(
    {
        "agent_message", "agent_message_delta", "agent_reasoning", "agent_reasoning_delta",
        "agent_reasoning_raw_content", "agent_reasoning_section_break", "background_event", "collab_agent_spawn_end",
        "collab_agent_interaction_end", "collab_close_end", "collab_waiting_end", "collab_resume_end",
        "context_compacted", "dynamic_tool_call_request", "dynamic_tool_call_response", "entered_review_mode",
        "error", "exec_approval_request", "exec_command_begin", "exec_command_end", "exec_command_output_delta",
        "exited_review_mode", "guardian_assessment", "hook_completed", "hook_started", "image_generation_end",
        "item_completed", "item_started", "mcp_startup_complete", "mcp_startup_update", "mcp_tool_call_begin",
        "mcp_tool_call_end", "model_reroute", "model_verification", "patch_apply_begin", "patch_apply_end",
        "patch_apply_updated", "plan_delta", "plan_update", "request_user_input", "shutdown_complete",
        "skills_update_available", "stream_error", "stream_info", "sub_agent_activity", "thread_goal_updated",
        "thread_settings_applied", "turn_aborted", "turn_diff",
        "undo_completed", "undo_started", "user_message", "view_image_tool_call", "warning", "web_search_begin",
        "web_search_end",
    }
)  # fmt: skip
#: Messages remembered to find what a compaction kept; real sessions have a few hundred between two compactions.
_MOST_REMEMBERED = 2_000

Yields = Iterator[Output]


class Line(Struct, gc=False):
    """One line. `payload` is missing in rollouts before 0.3, where the item is the line."""

    type: Any = ""
    timestamp: Any = None
    payload: Any = None
    metadata: Any = None


class Memory(Remembered):
    """All that a parser remembers between lines."""

    session: str = ""
    version: str = ""
    model: str = ""
    window: int = 0
    titled: bool = False
    nameless: bool = False  # a record before the session's has been reported
    last_at: str = ""  # timestamp of what the model was last given
    total: str = ""  # total_token_usage last counted, as JSON
    before: int | None = None  # total tokens of the last request
    before_that: int | None = None  # and of the one before it
    turn_spoken: bool = False  # something was said in this turn
    turn_undecided: bool = False  # a compaction opened this turn: manual unless the turn goes on
    said: list[Said] = []  # the messages in the context, in order
    abandoned: list[str] = []  # messages that were rolled back
    request: RequestEvent | None = None  # the last one: it may turn out to be the summariser's
    compaction: CompactionEvent | None = None  # the last one, while more may be learnt about it


class Codex(Remembering[Memory]):
    """Parser of one rollout; see `base.Parser`."""

    source: ClassVar[str] = "codex"
    memory_type = Memory

    def __init__(self, memory: Memory | None = None) -> None:
        super().__init__(memory)
        self._decoder = msgspec.json.Decoder(Line)
        self._handlers: dict[object, Callable[[Line, int], Yields]] = {
            "session_meta": self._session_meta,
            "turn_context": self._turn_context,
            "response_item": self._response_item,
            "event_msg": self._event,
            "compacted": self._compacted,
            "token_usage_record": self._usage_record,
        }

    def feed(self, line: bytes, number: int) -> Yields:
        """What one line says."""
        if not line.strip():
            return
        try:
            record = self._decode(line, number)
        except BadLine as bad:
            yield bad.problem
            return
        kind = text_of(record.type)
        handler = self._handlers.get(kind)
        if handler is None:
            if kind not in SILENT:
                self._unknown.count(kind or "(none)", number)
        elif not self._memory.session and kind != "session_meta":
            yield from self._nameless(number)
        else:
            yield from handler(record, number)

    def _decode(self, line: bytes, number: int) -> Line:
        record = decode_line(self._decoder, line, number)
        return record if record.payload is not None else _bare(decode_line(_ANY, line, number))

    # --- the conversation ---------------------------------------------------------------------------------------------

    def _session_meta(self, record: Line, number: int) -> Yields:
        """The first names the session; those that follow were copied with the history of the one it was forked from."""
        meta = mapping_of(record.payload)
        session = key_of(meta.get("id")) or key_of(meta.get("session_id"))
        if self._memory.session or not session:
            return
        self._memory.session, self._memory.version = session, name_of(meta.get("cli_version"), VERSION_CHARACTERS)
        known: dict[str, Any] = {
            "agent_version": self._memory.version,
            "cwd": text_of(meta.get("cwd")),
            "parent": _parent(meta),
        }
        yield ConversationEvent(
            conversation=session,
            agent=AGENT,
            at=moment(record.timestamp),
            complete=True,
            **{name: value for name, value in known.items() if value},
        )

    def _nameless(self, number: int) -> Yields:
        """Said once: a file cut off at its head can have thousands of such records."""
        if not self._memory.nameless:
            self._memory.nameless = True
            message = "This record comes before any that names the session: it cannot be placed."
            yield problem("bad_field", message, mend="Send the file from its first line.", line=number)

    def _turn_context(self, record: Line, number: int) -> Yields:
        self._memory.model = name_of(mapping_of(record.payload).get("model")) or self._memory.model
        yield from ()

    def _window(self, size: object) -> Yields:
        window = tokens_of(size)
        if window and window != self._memory.window:
            self._memory.window = window
            yield ConversationEvent(conversation=self._memory.session, context_window=window)

    def _title(self, text: str) -> Yields:
        """The first prompt, until the thread is given a name."""
        title = short_title(text)
        if title and not self._memory.titled:
            self._memory.titled = True
            yield ConversationEvent(conversation=self._memory.session, title=title)

    # --- messages -----------------------------------------------------------------------------------------------------

    def _response_item(self, record: Line, number: int) -> Yields:
        item = mapping_of(record.payload)
        if mapping_of(record.metadata).get("compaction_output") is True:
            return  # the summariser's answer; the summary message says it
        spoken = codex_items.message_of(item)
        if spoken is None:
            kind = text_of(item.get("type"))
            if kind not in codex_items.SILENT:
                self._unknown.count(f"response_item/{kind or '(none)'}", number)
            return
        message = self._message(item, record.timestamp, number, 0, spoken)
        yield from self._goes_on(spoken)
        yield message
        if spoken.role is not Role.ASSISTANT:
            self._memory.last_at = text_of(record.timestamp)
        if spoken.role is Role.USER and spoken.origin is Origin.SPOKEN:
            yield from self._title(codex_items.item_text(item))

    def _goes_on(self, spoken: codex_items.Spoken) -> Yields:
        """A turn in which something is said is no bare /compact: a compaction in it was automatic."""
        memory = self._memory
        if spoken.origin is Origin.HARNESS:
            return
        memory.turn_spoken = True
        if memory.turn_undecided and memory.compaction:
            memory.turn_undecided = False
            memory.compaction = structs.replace(memory.compaction, trigger=Trigger.AUTO)
            yield memory.compaction

    def _message(
        self, item: codex_items.Item, timestamp: object, number: int, index: int, spoken: codex_items.Spoken
    ) -> MessageEvent:
        memory = self._memory
        message_id = key_of(item.get("id")) or (f"line-{number}-{index}" if index else f"line-{number}")
        asked = spoken.role is Role.USER and spoken.origin is Origin.SPOKEN
        is_findable = item.get("type") == "message" or key_of(item.get("id"))
        memory.said.append(Said(message_id, codex_items.fingerprint(item) if is_findable else "", asked))
        del memory.said[:-_MOST_REMEMBERED]
        return MessageEvent(
            id=message_id,
            conversation=memory.session,
            at=moment(timestamp),
            sequence=number * STRIDE + min(index, STRIDE - 1),
            role=spoken.role,
            content=spoken.blocks,
            origin=spoken.origin,
            agent=AGENT,
            agent_version=memory.version,
        )

    # --- requests -----------------------------------------------------------------------------------------------------

    def _event(self, record: Line, number: int) -> Yields:
        event = mapping_of(record.payload)
        kind = text_of(event.get("type"))
        if kind == "token_count":
            yield from self._token_count(record, number, mapping_of(event.get("info")))
        elif kind in ("task_started", "turn_started"):
            self._memory.turn_spoken = self._memory.turn_undecided = False
            yield from self._window(event.get("model_context_window"))
        elif kind in ("task_complete", "turn_complete"):
            yield from self._turn_ends()
        elif kind == "thread_rolled_back":
            self._roll_back(tokens_of(event.get("num_turns")) or 0)
        elif kind == "thread_name_updated":
            self._memory.titled = False
            yield from self._title(text_of(event.get("thread_name")))
        elif kind not in SILENT_EVENTS:
            self._unknown.count(f"event_msg/{kind or '(none)'}", number)

    def _turn_ends(self) -> Yields:
        memory = self._memory
        if memory.turn_undecided and memory.compaction:
            memory.turn_undecided = False
            memory.compaction = structs.replace(memory.compaction, trigger=Trigger.MANUAL)
            yield memory.compaction

    def _roll_back(self, turns: int) -> None:
        """The last so many of the user's messages, and all that followed them, are in the context no longer."""
        memory = self._memory
        asked = [number for number, said in enumerate(memory.said) if said.asked][-turns:] if turns else []
        if asked:
            memory.abandoned += [said.id for said in memory.said[asked[0] :]]
            del memory.abandoned[:-_MOST_REMEMBERED]
            del memory.said[asked[0] :]

    def _token_count(self, record: Line, number: int, info: dict[str, Any]) -> Yields:
        """Counts repeat: a changed total tells a request. All zero but the total is an estimate after a compaction."""
        memory = self._memory
        yield from self._window(info.get("model_context_window"))
        last = mapping_of(info.get("last_token_usage"))
        if not last:
            return
        if not tokens_of(last.get("input_tokens")) and not tokens_of(last.get("output_tokens")):
            yield from self._estimate(tokens_of(last.get("total_tokens")))
            return
        total = _total(info.get("total_token_usage"))
        if total != memory.total:
            memory.total = total
            yield self._request(f"tokens-{number}", record, number, last)

    def _usage_record(self, record: Line, number: int) -> Yields:
        """From 0.169 on, before the token_count that says the same."""
        payload = mapping_of(record.payload)
        self._memory.total = _total(payload.get("thread_token_usage"))
        response = key_of(payload.get("response_id")) or f"tokens-{number}"
        yield self._request(response, record, number, mapping_of(payload.get("usage")))

    def _request(self, request: str, record: Line, number: int, usage: dict[str, Any]) -> RequestEvent:
        memory = self._memory
        at = moment(record.timestamp)
        memory.before_that, memory.before = memory.before, tokens_of(usage.get("total_tokens"))
        memory.request = RequestEvent(
            id=request,
            conversation=memory.session,
            at=at,
            sequence=number * STRIDE + 1,
            model=memory.model,
            usage=_usage(usage),
            context_tokens=tokens_of(usage.get("input_tokens")),
            duration_ms=milliseconds(moment(memory.last_at), at),
        )
        memory.last_at = ""
        return memory.request

    def _estimate(self, total: int | None) -> Yields:
        memory = self._memory
        if memory.compaction and memory.compaction.tokens_after is None and total:
            memory.compaction = structs.replace(memory.compaction, tokens_after=total)
            yield memory.compaction

    # --- compactions --------------------------------------------------------------------------------------------------

    def _compacted(self, record: Line, number: int) -> Yields:
        memory = self._memory
        payload = mapping_of(record.payload)
        yield from self._summarisers_request(text_of(payload.get("compaction_response_id")))
        wrapped = text_of(payload.get("message"))
        replaced = replacement_of(payload, wrapped, memory.said)
        memory.said = [said for said in memory.said if said.id in set(replaced.kept)]
        messages = [
            self._message(item, record.timestamp, number, index, spoken)
            for index, (item, spoken) in enumerate(replaced.added, start=1)
        ]
        memory.turn_undecided = not memory.turn_spoken
        abandoned = {ABANDONED: memory.abandoned.copy()} if memory.abandoned else {}
        memory.compaction = CompactionEvent(
            id=f"compacted-{number}",
            conversation=memory.session,
            at=moment(record.timestamp),
            sequence=number * STRIDE,
            kind=CompactionKind.HOSTED_OPAQUE if replaced.opaque else CompactionKind.CLIENT,
            trigger=Trigger.AUTO if memory.turn_spoken else Trigger.UNKNOWN,
            summary_message=next((message.id for message in messages if message.origin is Origin.SUMMARY), ""),
            summary_state=replaced.state,
            kept=replaced.kept,
            tokens_before=memory.before,
            cost=memory.request.usage if memory.request and memory.request.purpose == "compaction" else Usage(),
            model=memory.model,
            raw=_raw(payload) | abandoned,
        )
        memory.request = None
        yield memory.compaction
        yield from messages

    def _summarisers_request(self, response: str) -> Yields:
        """Its tokens are the cost of the compaction, not the size of the conversation."""
        memory = self._memory
        if response and memory.request and memory.request.id == response:
            memory.request = structs.replace(memory.request, purpose="compaction")
            yield memory.request
            memory.before = memory.before_that


_ANY = msgspec.json.Decoder(dict[str, Any])


def _bare(line: dict[str, Any]) -> Line:
    """Rollouts of early 2025: the session line has no type, items have no envelope."""
    kind = line.get("type")
    if kind is None and "id" in line and "timestamp" in line:
        return Line(type="session_meta", timestamp=line.get("timestamp"), payload=line)
    if kind is None and "record_type" in line:
        return Line(type="world_state", payload=line)
    if isinstance(kind, str) and (kind in ("message", "reasoning") or kind.endswith(("_call", "_call_output"))):
        return Line(type="response_item", timestamp=line.get("timestamp"), payload=line)
    return Line(type=kind, timestamp=line.get("timestamp"), payload={})


def _parent(meta: dict[str, Any]) -> str:
    """A subagent's rollout names the thread that spawned it."""
    subagent = mapping_of(mapping_of(meta.get("source")).get("subagent"))
    spawned = key_of(mapping_of(subagent.get("thread_spawn")).get("parent_thread_id"))
    return spawned or key_of(meta.get("parent_thread_id"))


def _raw(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if isinstance(value, str | int) and key != "message"}


def _total(usage: object) -> str:
    """Cumulative usage as a value to compare."""
    return msgspec.json.encode(mapping_of(usage), order="sorted").decode()


def _usage(usage: dict[str, Any]) -> Usage:
    """OpenAI's input tokens include what was read from and written to the cache."""
    total = tokens_of(usage.get("input_tokens"))
    read, written = tokens_of(usage.get("cached_input_tokens")), tokens_of(usage.get("cache_write_input_tokens"))
    return Usage(
        input_tokens=None if total is None else max(total - (read or 0) - (written or 0), 0),
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=tokens_of(usage.get("output_tokens")),
    )
