"""Read a Codex `compacted` record: which earlier messages its replacement history keeps, and which items are new."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from conversations.ingest.formats import codex_items
from conversations.ingest.formats.base import key_of, list_of, mapping_of, text_of
from conversations.ingest.formats.codex_items import Item, Spoken
from conversations.vocabulary import Origin, Role, SummaryState


class Said(Struct, array_like=True):
    """An earlier message of the context, to be found again."""

    id: str
    fingerprint: str  # "" for calls and their outputs that have no id of their own: they are not looked for
    asked: bool = False  # the user's own


class Replacement(Struct, frozen=True):
    """The new context: ids of earlier messages that stay, in order, and items made for it, as messages."""

    kept: list[str]
    added: list[tuple[dict[str, Any], Spoken]]
    state: SummaryState
    opaque: bool


def replacement_of(payload: dict[str, Any], wrapped: str, said: Sequence[Said]) -> Replacement:
    """`wrapped` is the readable summary with its introduction, "" where only the vendor can read it."""
    opaque = not wrapped and "replacement_history" in payload
    history = [mapping_of(item) for item in list_of(payload.get("replacement_history"))]
    kept, added = _split(history, wrapped, said)
    if not history:
        # Until 0.116 the history may be left out; Codex then rebuilds it from the user's messages and the summary.
        kept = [entry.id for entry in said if entry.asked]
    if wrapped and not any(codex_items.item_text(item) == wrapped for item in added):
        added.append({"type": "message", "role": "user", "content": wrapped})
    messages = [(item, spoken) for item in added if (spoken := _spoken(item, wrapped, said))]
    return Replacement(kept, messages, _state(wrapped, opaque=opaque), opaque)


def _split(history: list[dict[str, Any]], wrapped: str, said: Sequence[Said]) -> tuple[list[str], list[dict[str, Any]]]:
    """Matched from the end: when room is short the oldest user messages go, so of two equal ones the later stayed."""
    ids = {entry.id for entry in said}
    places: dict[str, list[str]] = {}
    for entry in said:
        places.setdefault(entry.fingerprint, []).append(entry.id)
    kept: list[str] = []
    added: list[dict[str, Any]] = []
    for item in reversed(history):
        match = _match(item, wrapped, ids, places)
        if match:
            kept.append(match)
        elif text_of(item.get("type")) not in codex_items.SILENT:
            added.append(item)
    return list(dict.fromkeys(reversed(kept))), added[::-1]


def _match(item: Item, wrapped: str, ids: set[str], places: dict[str, list[str]]) -> str:
    """The earlier message that this item is; "" for the harness's own items, which are made anew each time."""
    is_message = item.get("type") == "message"
    if is_message and (item.get("role") in ("developer", "system") or codex_items.is_harness(item)):
        return ""
    if wrapped and codex_items.item_text(item) == wrapped:
        return ""
    if key_of(item.get("id")) in ids:
        return key_of(item.get("id"))
    candidates = places.get(codex_items.fingerprint(item), []) if is_message else []
    return candidates.pop() if candidates else ""


def _spoken(item: dict[str, Any], wrapped: str, said: Sequence[Said]) -> Spoken | None:
    spoken = codex_items.message_of(item)
    if spoken is None:
        return None
    if not wrapped or codex_items.item_text(item) != wrapped:
        return structs.replace(spoken, origin=Origin.RESTORED)
    summary = codex_items.unwrap(wrapped)
    own = _summarisers_answer(summary.text, said)
    if own:
        item["id"] = own
    return Spoken(Role.USER, Origin.SUMMARY, [summary])


def _summarisers_answer(text: str, said: Sequence[Said]) -> str:
    """Before 0.169 the summariser's answer is logged unmarked, as an assistant message just before the boundary.

    The summary message takes its id, so that the later event overwrites the earlier and nothing is said twice.
    """
    answer = {"type": "message", "role": "assistant", "content": text}
    last = next((entry for entry in reversed(said) if entry.fingerprint), None)
    return last.id if last and last.fingerprint == codex_items.fingerprint(answer) else ""


def _state(wrapped: str, *, opaque: bool) -> SummaryState:
    if opaque:
        return SummaryState.ENCRYPTED
    return SummaryState.TEXT if codex_items.unwrap(wrapped).text.strip() else SummaryState.ABSENT
