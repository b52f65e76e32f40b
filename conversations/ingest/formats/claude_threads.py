"""Tell which conversation of a file, and which branch of it, each Claude Code record belongs to, and what is known of
the conversation as a whole."""

from typing import Any

from conversations.ingest.events import ConversationEvent
from conversations.ingest.formats.base import KEY_CHARACTERS, VERSION_CHARACTERS, key_of, moment, name_of, text_of
from conversations.ingest.formats.claude_compactions import missing_beginning
from conversations.ingest.formats.claude_records import Memory, Record, Thread

AGENT = "claude-code"

_MOST_SIDECHAIN_RECORDS = 2_000  # of interleaved sidechains (before agent ids); real ones have about 50 records
_SPEAKING = ("user", "assistant", "system", "attachment")


def thread_of(memory: Memory, record: Record) -> Thread | None:
    """The conversation the record belongs to; None before any record has named a session."""
    memory.session = key_of(record.session_id) or key_of(record.stream_session_id) or memory.session
    if not memory.session:
        return None
    key = _key(memory, record)
    thread = memory.threads.get(key)
    if thread is None:
        thread = memory.threads[key] = Thread(id=key, parent=memory.session if key != memory.session else "")
    return thread


def _key(memory: Memory, record: Record) -> str:
    if record.stream_parent_tool and key_of(record.stream_parent_tool):
        return f"{memory.session}/{record.stream_parent_tool}"
    if record.is_sidechain is not True:
        return memory.session
    if key_of(record.agent_id):
        return f"{memory.session}/agent-{record.agent_id}"
    return _sidechain(memory, key_of(record.uuid), key_of(record.parent_uuid))


def _sidechain(memory: Memory, uuid: str, parent: str) -> str:
    """Before agent ids: sidechains are interleaved, and told apart by the chain of parents up to their root."""
    chains = memory.sidechains
    key = chains.get(uuid) or chains.get(parent) or f"{memory.session}/sidechain-{uuid or parent}"
    if uuid and uuid not in chains:
        chains[uuid] = key
        if len(chains) > _MOST_SIDECHAIN_RECORDS:
            del chains[next(iter(chains))]
    return key


def place(record: Record, thread: Thread, flags: int = 0) -> None:
    """Puts the record on its branch of the session. Nobody rewinds a subagent, and stream-json has no links."""
    uuid, parent = record.uuid, record.parent_uuid
    if not thread.parent and record.session_id and isinstance(uuid, str) and 0 < len(uuid) <= KEY_CHARACTERS:
        thread.branches.place(uuid, parent if isinstance(parent, str) else "", flags)


def news_of(record: Record, thread: Thread) -> ConversationEvent | None:
    """What the record newly tells about its conversation: all of it at first, then a change of version."""
    if record.is_sidechain is True and record.type not in _SPEAKING:
        return None  # progress records of a subagent may come before its first message
    version = name_of(record.version or record.stream_version, VERSION_CHARACTERS)
    changed = bool(version) and version != thread.version
    thread.version = version or thread.version
    if not thread.begun:
        thread.begun = True
        return _opening(record, thread)
    return ConversationEvent(conversation=thread.id, agent=AGENT, agent_version=version) if changed else None


def _opening(record: Record, thread: Thread) -> ConversationEvent:
    """The first record tells whether the file holds the conversation from its beginning."""
    reason = missing_beginning(record)
    thread.incomplete = bool(reason)
    known: dict[str, Any] = {
        "agent_version": thread.version,
        "cwd": text_of(record.cwd),
        "parent": thread.parent,
        "incomplete_reason": reason,
    }
    return ConversationEvent(
        conversation=thread.id,
        at=moment(record.timestamp),
        agent=AGENT,
        complete=not reason,
        **{name: value for name, value in known.items() if value},
    )
