"""The record of a Claude Code transcript as decoded, and the state a parser of them carries from line to line."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from conversations.ingest.events import CompactionEvent
from conversations.ingest.formats.base import Remembered
from conversations.ingest.formats.claude_branches import Branches

#: Known record types from which no message comes.
SILENT = frozenset(
    {
        "agent-color", "agent-name", "agent-setting", "api-request", "api-request-blob", "api-request-shape",
        "atis-latch", "attribution-snapshot", "auth_status", "bridge-session", "content-replacement",
        "control_request", "control_response", "file-history-snapshot", "keep_alive", "last-prompt", "mode",
        "permission-mode", "pr-link", "progress", "prompt_suggestion", "rate_limit_event", "result",
        "speculation-accept", "stream_event", "tag", "task-summary", "tool_progress", "tool_use_summary",
        "tools-used", "worktree-state",
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


class Record(Struct, rename="camel", gc=False):
    """One line. Every field may be missing or of any type: the format is private and drifts.

    What is not named here (`toolUseResult`, `data` of progress records: half of a file) is skipped, not built.
    """

    type: Any = ""
    subtype: Any = ""
    uuid: Any = ""
    parent_uuid: Any = None
    logical_parent_uuid: Any = None
    session_id: Any = ""
    agent_id: Any = ""
    is_sidechain: Any = False
    is_meta: Any = False
    is_compact_summary: Any = False
    is_visible_in_transcript_only: Any = False
    is_api_error_message: Any = False
    timestamp: Any = None
    version: Any = ""
    cwd: Any = ""
    message: Any = None
    origin: Any = None
    attachment: Any = None
    rendered: Any = None
    content: Any = None
    operation: Any = ""
    summary: Any = ""
    leaf_uuid: Any = ""
    custom_title: Any = ""
    ai_title: Any = ""
    compact_metadata: Any = None
    microcompact_metadata: Any = None
    summarize_metadata: Any = None
    model_usage: Any = None
    # --output-format stream-json writes the same in snake case
    stream_session_id: Any = field(default="", name="session_id")
    stream_compact_metadata: Any = field(default=None, name="compact_metadata")
    stream_parent_tool: Any = field(default=None, name="parent_tool_use_id")
    stream_compact_result: Any = field(default="", name="compact_result")
    stream_compact_error: Any = field(default="", name="compact_error")
    stream_version: Any = field(default="", name="claude_code_version")


class Waiting(Struct):
    """A message the user typed while the agent worked. `line` is where it left the queue, 0 while it waits."""

    text: str
    at: datetime | None
    line: int = 0


class Spending(Struct):
    """Tokens of the requests since the last cost-state record, to find the compaction call's share of the next one.

    Token lists are input, output, cache read, cache write.
    """

    totals: dict[str, list[int]] | None = None  # model -> the last cost-state's totals
    spent: dict[str, list[int]] = {}  # model -> requests since, without the current one
    current: list[int] | None = None
    compactions: int = 0
    delegated: bool = False  # a subagent may have spent tokens that stand in another file


class Thread(Struct):
    """One conversation of the file: the main one, or a subagent's."""

    id: str
    begun: bool = False  # its first record has been seen; a title may come before
    parent: str = ""
    version: str = ""
    title_rank: int = 0
    incomplete: bool = False
    boundaries: int = 0
    restoring: bool = False  # between a boundary and the first reply after it
    caveat: bool = False  # the last user record was the caveat that announces a local command
    compaction: CompactionEvent | None = None  # the last one, while more may be learnt about it
    asked_at: datetime | None = None  # when the model was last given something
    request: str = ""  # message.id of the response under way
    request_started: datetime | None = None
    model: str = ""
    spending: Spending = field(default_factory=Spending)
    branches: Branches = field(default_factory=Branches)


class Memory(Remembered):
    """All that a parser remembers between lines."""

    session: str = ""
    threads: dict[str, Thread] = {}
    sidechains: dict[str, str] = {}  # uuid of a sidechain record without agent id -> its conversation
    queue: list[Waiting] = []
    nameless: bool = False  # a record without a session has been reported
    instructions: str = ""  # of a /compact not yet carried out
    titles: dict[str, str] = {}  # leaf uuid -> title, from summary records at the head of the file
    boundaries: list[str] = []
