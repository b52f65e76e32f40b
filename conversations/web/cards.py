"""Messages as they are shown in lists: who spoke, when, and their blocks made ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conversations.models import Message, Workspace
from conversations.vocabulary import Origin, Role
from conversations.web.addresses import Addresses
from conversations.web.blocks import Shown, call_names, shown
from conversations.web.card_html import part_html
from conversations.web.highlight import Html, highlight, places
from conversations.web.marks import BlockMarks
from conversations.web.wording import exact

_SPEAKERS = {"user": "User", "assistant": "Assistant", "system": "System", "tool": "Tool"}
_ORIGINS = {
    Origin.QUEUED.value: "queued while the agent worked",
    Origin.HARNESS.value: "written by the harness",
    Origin.RESTORED.value: "put back after a compaction",
}


#: Marks of facts by message (external id) and block.
Marks = Mapping[tuple[str, int], BlockMarks]


@dataclass(frozen=True, slots=True)
class Card:
    """One message in a list."""

    message: Message
    url: str
    who: str
    parts: list[Shown]
    excerpt: Html | None  # instead of parts: the message is too large for a list
    place: str = ""  # its address in the conversation, where the list is another one
    chosen: bool = False  # the chosen fact was said here
    current: bool = False  # it was asked for
    is_message: bool = True  # tells it from a compaction in a mixed list

    @property
    def html(self) -> Html:
        """The message in a list, whole."""
        states = f"{' chosen' * self.chosen}{' current' * self.current}"
        about = "".join(f"<span>{each}</span>" for each in self._about)
        place = f'<a class="row-end" href="{self.place}">in the conversation</a>' if self.place else ""
        return Html(
            f'<article class="message {self.message.role} {self.message.origin}{states}" id="m{self.message.pk}"'
            f' aria-label="{self.who}" data-message="{self.message.pk}">'
            f'<header class="message-head"><span class="who">{self.who}</span>{about}{place}</header>'
            f"{self._said}</article>"
        )

    @property
    def _said(self) -> str:
        excerpt = f'<div class="said">{self.excerpt}…</div>' if self.excerpt is not None else ""
        more = self.excerpt is not None or any(part.more for part in self.parts)
        link = f'<p class="small"><a href="{self.url}">All {self._length}</a></p>' if more else ""
        return f"{excerpt}{''.join(map(part_html, self.parts))}{link}"

    @property
    def _about(self) -> list[str]:
        """How it came into the context, where that is worth saying; when, and how long it is."""
        note = _ORIGINS.get(self.message.origin, "")
        said = exact(self.message.at) if self.message.at else ""
        return [each for each in (note, said, self._length) if each]

    @property
    def _length(self) -> str:
        """In characters."""
        return f"{self.message.size:,} character{'' if self.message.size == 1 else 's'}"


def cards(
    messages: Sequence[Message],
    workspace: Workspace,
    *,
    query: str = "",
    marks: Marks | None = None,
    current: int | None = None,
    with_place: bool = False,
) -> list[Card]:
    """Of messages read with `queries.light`."""
    names = call_names([message.shown_blocks or [] for message in messages])  # type: ignore[attr-defined]
    addresses = Addresses.of(workspace)
    made = [_card(message, addresses, query, names, marks or {}) for message in messages]
    if with_place:
        made = [replace(card, place=_place(card.message, addresses)) for card in made]
    return [replace(card, current=True) if card.message.pk == current else card for card in made]


def _place(message: Message, addresses: Addresses) -> str:
    return f"{addresses.conversation(message.conversation_id)}?around={message.pk}#m{message.pk}"


def _card(message: Message, addresses: Addresses, query: str, names: dict[str, str], marks: Marks) -> Card:
    blocks = message.shown_blocks  # type: ignore[attr-defined]
    mine = {at: found for at in range(len(blocks or ())) if (found := marks.get((message.external_id, at)))}
    excerpt = highlight(message.excerpt, places(message.excerpt, query)) if blocks is None else None
    return Card(
        message=message,
        url=addresses.message(message.pk),
        who=who(message),
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
