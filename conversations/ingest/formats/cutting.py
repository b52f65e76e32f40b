"""A batch of events without those of conversations that were deleted. Pure."""

from collections.abc import Set as AbstractSet

import msgspec
from msgspec import Raw, Struct


class _Of(Struct):
    """Whose event it is."""

    conversation: str = ""


class _Batch(Struct):
    events: list[Raw]


_OF = msgspec.json.Decoder(_Of)
_BATCH = msgspec.json.Decoder(_Batch)
_LIST = msgspec.json.Decoder(list[Raw])
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def without(body: bytes, gone: AbstractSet[str]) -> bytes:
    """The events of all other conversations, in the order and the shape they came in; empty when none is left.

    What cannot be read is left out where it names one of these ids."""
    if not body.lstrip().startswith((b"[", b"{")):
        return b""
    events = _events(body)
    if events is None:  # one a line
        return b"".join(line for line in body.splitlines(keepends=True) if line.strip() and not _is_of(line, gone))
    kept = [bytes(event) for event in events if not _is_of(bytes(event), gone)]
    return b"[" + b",".join(kept) + b"]" if kept else b""


def _events(body: bytes) -> list[Raw] | None:
    for decode in (_LIST.decode, lambda text: _BATCH.decode(text).events):
        try:
            return decode(body)
        except _MALFORMED:
            continue
    return None


def _is_of(event: bytes, gone: AbstractSet[str]) -> bool:
    try:
        return _OF.decode(event).conversation in gone
    except _MALFORMED:
        return mentions(event, gone)


def mentions(text: bytes, ids: AbstractSet[str]) -> bool:
    """Whether one of the ids stands in it, as it is or as JSON writes it."""
    return any(each.encode() in text or msgspec.json.encode(each)[1:-1] in text for each in ids if each)
