"""Messages as they are shown in lists: who spoke, when, and their blocks made ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from conversations.models import Message, Workspace
from conversations.vocabulary import Origin, Role
from conversations.web.blocks import Shown, call_names, shown
from conversations.web.highlight import Html, highlight, places
from conversations.web.marks import BlockMarks

_SPEAKERS = {"user": "User", "assistant": "Assistant", "system": "System", "tool": "Tool"}
_ORIGINS = {
    Origin.QUEUED.value: "queued while the agent worked",
    Origin.HARNESS.value: "written by the harness",
    Origin.RESTORED.value: "put back after a compaction",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One message in a list."""

    message: Message
    url: str
    who: str
    note: str  # how it came into the context, where that is worth saying
    parts: list[Shown]
    excerpt: Html | None  # instead of parts: the message is too large for a list
    chosen: bool = False  # the chosen fact was said here
    is_message: bool = True  # tells it from a compaction in a mixed list

    @property
    def css(self) -> str:
        """Classes of its box."""
        return f"{self.message.role} {self.message.origin}"

    @property
    def cut(self) -> bool:
        """Whether something was left out, so that its own page has more."""
        return self.excerpt is not None or any(part.more for part in self.parts)


#: Marks of facts by message (external id) and block.
Marks = Mapping[tuple[str, int], BlockMarks]


def cards(
    messages: Sequence[Message], workspace: Workspace, *, query: str = "", marks: Marks | None = None
) -> list[Card]:
    """Of messages read with `queries.light`."""
    names = call_names([message.shown_blocks or [] for message in messages])  # type: ignore[attr-defined]
    return [_card(message, workspace, query, names, marks or {}) for message in messages]


def _card(message: Message, workspace: Workspace, query: str, names: dict[str, str], marks: Marks) -> Card:
    blocks = message.shown_blocks  # type: ignore[attr-defined]
    mine = {at: found for at in range(len(blocks or ())) if (found := marks.get((message.external_id, at)))}
    excerpt = highlight(message.excerpt, places(message.excerpt, query)) if blocks is None else None
    return Card(
        message=message,
        url=reverse("message", args=[workspace.slug, message.pk]),
        who=who(message),
        note=_ORIGINS.get(message.origin, ""),
        parts=shown(
            blocks or [],
            query=query,
            names=names,
            prose=message.role == Role.ASSISTANT,
            aside=message.origin in {Origin.HARNESS, Origin.RESTORED},
            marks=mine,
        ),
        excerpt=excerpt,
        chosen=any(found.focus is not None for found in mine.values()),
    )


def who(message: Message) -> str:
    """Who speaks, as a word."""
    return "Summary" if message.origin == Origin.SUMMARY else _SPEAKERS[message.role]
