"""Which conversation a call belongs to: said when the client is observed, changed for a block of code, or left out."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Labels:
    """What the sender says of a call beyond its bodies. "" = not said; the server then knows it by its beginning."""

    agent: str = ""
    conversation: str = ""
    parent: str = ""
    agent_version: str = ""
    title: str = ""
    tags: str = ""  # with commas between

    def said(self) -> dict[str, str]:
        """Only what was said, under the names of the wire."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value or value == 0}  # ids are often numbers

    def changed(self, labels: Mapping[str, str]) -> "Labels":
        """With these instead. What is "" leaves what was said."""
        return replace(self, **{name: value for name, value in labels.items() if value})


def joined(tags: Iterable[str]) -> str:
    """As they are sent: one text, in which no tag holds a comma."""
    return tags if isinstance(tags, str) else ",".join(str(tag).replace(",", " ") for tag in tags)


_current: ContextVar[dict[str, str] | None] = ContextVar("observatory_labels", default=None)


@contextmanager
def conversation(
    name: str,
    *,
    parent: str = "",
    title: str = "",
    agent: str = "",
    agent_version: str = "",
    tags: Iterable[str] = (),
) -> Iterator[None]:
    """Within this block calls belong to conversation `name`: in this thread or asyncio task and what it starts.

    What is "" stays as it was said to `observe`, except title and parent: they belong to the conversation. So do
    `tags`, where there are any.
    """
    about = {"conversation": name, "parent": parent, "title": title}
    stays = (("agent", agent), ("agent_version", agent_version), ("tags", joined(tags)))
    about |= {key: value for key, value in stays if value}
    token = _current.set({**(_current.get() or {}), **about})
    try:
        yield
    finally:
        _current.reset(token)


def labels_now(said: Labels) -> Labels:
    """`said` to `observe`, with what the code that is running says on top."""
    changed = _current.get()
    return replace(said, **changed) if changed else said
