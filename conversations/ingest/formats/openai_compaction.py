"""Read the items of a Responses API context, and find in them the compactions that OpenAI made: their summaries are
encrypted, so all that is known is that it happened, and which of the user's messages stayed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from conversations.ingest.events import Block, Usage
from conversations.ingest.exchange import Announced, Spoken
from conversations.ingest.formats.base import list_of, mapping_of, text_of, tokens_of
from conversations.ingest.formats.codex_items import OPAQUE
from conversations.ingest.formats.openai_content import item_blocks, item_role
from conversations.ingest.formats.openai_usage import usage_of
from conversations.ingest.formats.spoken import spoken_of
from conversations.vocabulary import CompactionKind, Role, SummaryState, Trigger

_TRIGGER = "compaction_trigger"
#: Nobody says these: lists of tools, requests for a compaction, references to items that the server holds.
_SILENT = frozenset({_TRIGGER, "item_reference", "mcp_list_tools", "additional_tools"}) | OPAQUE


class Context(Struct, frozen=True):
    """A list of items as messages, and before which of them a summary stands."""

    said: list[Spoken]
    summaries: list[int]
    triggered: bool  # a compaction is asked for
    has_references: bool  # some of its items only the server has


def context_of(items: Iterable[object]) -> Context:
    """Reasoning goes with what the model says or does next, since clients leave it out later."""
    said: list[Spoken] = []
    summaries: list[int] = []
    thinking: list[Block] = []
    kinds = set()
    for item in map(mapping_of, items):
        kind = text_of(item.get("type"))
        kinds.add(_kind(item))
        if kind == "reasoning":
            thinking += item_blocks(item)
        elif kind in OPAQUE:
            summaries.append(len(said))
        elif _kind(item) not in _SILENT:
            said += _said(item, thinking)
            thinking = []
    said += spoken_of(Role.ASSISTANT, thinking)
    return Context(said, summaries, _TRIGGER in kinds, "item_reference" in kinds)


def _said(item: Mapping[str, Any], thinking: Sequence[Block]) -> list[Spoken]:
    role = item_role(item)
    if role is Role.ASSISTANT:
        return spoken_of(role, [*thinking, *item_blocks(item)])
    return [*spoken_of(Role.ASSISTANT, thinking), *spoken_of(role, item_blocks(item))]


def _kind(item: Mapping[str, Any]) -> str:
    """A reference may leave its type out; then it is nothing but an id."""
    return text_of(item.get("type")) or ("item_reference" if set(item) == {"id"} else "message")


def compactions_in(
    request: Mapping[str, Any], answer: Mapping[str, Any], context: Context, model: str, *, on_demand: bool
) -> list[Announced]:
    """Those whose summary the request brings back, then the one that happened now."""
    seen = [_announced(in_request=True, before=_replaced(context.said[:place])) for place in context.summaries]
    output = context_of(list_of(answer.get("output")))
    if not output.summaries:
        return seen
    asked = on_demand or context.triggered
    usage = usage_of(mapping_of(answer.get("usage"))) if on_demand else Usage()
    happened = _announced(
        trigger=Trigger.MANUAL if asked else Trigger.THRESHOLD,
        trigger_tokens=None if asked else _threshold(request),
        kept=_kept(context.said, output.said) if on_demand else [],
        tokens_before=_read(usage),
        cost=usage,
        model=model,
        raw=_raw(answer),
    )
    return [*seen, happened]


def _announced(**fields: Any) -> Announced:
    return Announced(kind=CompactionKind.HOSTED_OPAQUE, summary_state=SummaryState.ENCRYPTED, **fields)


def _replaced(before: Sequence[Spoken]) -> int:
    """A context that was compacted on demand begins with the user's messages, which stayed; where anything else stands
    before the summary the client still holds what it replaced."""
    return 0 if all(said.role is Role.USER for said in before) else len(before)


def _threshold(request: Mapping[str, Any]) -> int | None:
    entries = [mapping_of(entry) for entry in list_of(request.get("context_management"))]
    return next(
        (tokens_of(entry.get("compact_threshold")) for entry in entries if entry.get("type") == "compaction"), None
    )


def _kept(sent: Sequence[Spoken], stayed: Sequence[Spoken]) -> list[int]:
    """Where the messages that came back stood; of two equal ones the later, since the oldest go first."""
    places: dict[bytes, list[int]] = {}
    for place, said in enumerate(sent):
        places.setdefault(said.digest(), []).append(place)
    found = [places[digest].pop() for digest in (said.digest() for said in reversed(stayed)) if places.get(digest)]
    return sorted(found)


def _read(usage: Usage) -> int | None:
    """On demand the compaction reads the whole context; in line its usage is the turn's as well."""
    parts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    return None if usage.input_tokens is None else sum(part or 0 for part in parts)


def _raw(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    items = [mapping_of(item) for item in list_of(answer.get("output"))]
    found = [item for item in items if text_of(item.get("type")) in OPAQUE]
    return {key: found[-1][key] for key in ("type", "id", "created_by") if found[-1].get(key)} or None
