"""What is in a context, and what a compaction does to it."""

from enum import StrEnum

#: Of a service tier, as providers call it.
TIER_CHARACTERS = 20


class Role(StrEnum):
    """Who speaks, as the model sees it."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Origin(StrEnum):
    """How a message came into the context."""

    SPOKEN = "spoken"  # said or called in the ordinary course of the conversation
    QUEUED = "queued"  # typed by the user while the agent worked, delivered later
    HARNESS = "harness"  # written by the harness itself: caveats, reminders, local command output
    RESTORED = "restored"  # put back by the harness after a compaction: files, skills, memory
    SUMMARY = "summary"  # the summary that a compaction left behind


class CompactionKind(StrEnum):
    """What did the replacing."""

    THRESHOLD = "threshold"  # the API, at an input-token threshold
    ON_DEMAND = "on_demand"  # the API, because the caller asked
    CLIENT = "client"  # the harness made its own summary
    HOSTED_OPAQUE = "hosted_opaque"  # the API; the summary is encrypted
    TRUNCATION = "truncation"  # messages vanished, no summary
    TOOL_CLEAR = "tool_clear"  # the API blanked old tool results
    MICROCOMPACT = "microcompact"  # the harness blanked old tool results


#: These blank the results of single tool calls; everything else of the context stays.
CLEARING_KINDS = frozenset({CompactionKind.TOOL_CLEAR, CompactionKind.MICROCOMPACT})
#: Key in a compaction's `raw`: ids of messages before it that were in the context no longer, for they stood on another
#: branch: those of a turn that was edited, made anew or rewound. It neither dropped nor kept them.
ABANDONED = "abandoned"


def abandoned_in(raw: object) -> list[str]:
    """The ids under ABANDONED; what else a source wrote there is not ours."""
    found = raw.get(ABANDONED) if isinstance(raw, dict) else None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


class Trigger(StrEnum):
    """Why it happened then."""

    AUTO = "auto"
    MANUAL = "manual"
    THRESHOLD = "threshold"
    IDLE = "idle"
    OVERFLOW = "overflow"
    UNKNOWN = "unknown"


class SummaryState(StrEnum):
    """Whether the summary can be read. Shown as it is: an unreadable summary is never "nothing kept"."""

    TEXT = "text"
    ENCRYPTED = "encrypted"
    ABSENT = "absent"
    FAILED = "failed"


class BatchState(StrEnum):
    """How far the digestion of a batch has come."""

    PENDING = "pending"
    DIGESTED = "digested"
    FAILED = "failed"  # raised on the way; the bytes are kept and can be digested again
