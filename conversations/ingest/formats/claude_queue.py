"""Messages the user types while Claude Code works: told once, whichever way their delivery is logged.

Newer versions log a delivered message as a record of its own. Older ones log the queue but not the delivery in
mid-turn: there, what was removed from the queue and appears nowhere else by the next reply has gone to the model.
"""

from collections.abc import Iterator

from conversations.ingest.events import MessageEvent, Text
from conversations.ingest.formats.base import STRIDE
from conversations.ingest.formats.claude_records import Thread, Waiting
from conversations.ingest.formats.claude_threads import AGENT
from conversations.vocabulary import Origin, Role


def leave(queue: list[Waiting], number: int) -> None:
    """The first that waits leaves the queue on this line.

    The log does not say which entry left; the user's messages go before the harness's notices, which are not here.
    """
    waiting = next((entry for entry in queue if not entry.line), None)
    if waiting:
        waiting.line = number


def taken_back(queue: list[Waiting]) -> list[Waiting]:
    """The queue without those that wait: they are in the input field again, to be edited."""
    return [entry for entry in queue if entry.line]


def without(queue: list[Waiting], said: str) -> list[Waiting]:
    """The queue without a message that now stands in the log as a record of its own."""
    return [entry for entry in queue if entry.text.strip() != said.strip()]


def messages_of(queue: list[Waiting], thread: Thread) -> Iterator[MessageEvent]:
    """Those that left the queue, where they left it."""
    for entry in queue:
        if entry.line:
            yield MessageEvent(
                id=f"queued-{entry.line}",
                conversation=thread.id,
                at=entry.at,
                sequence=entry.line * STRIDE,
                role=Role.USER,
                content=[Text(entry.text)],
                origin=Origin.QUEUED,
                agent=AGENT,
                agent_version=thread.version,
            )
