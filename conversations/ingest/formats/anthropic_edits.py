"""What a Messages API request asks to be done to its context, in the API's words or in those of a well-known article.

A widely read article on the compaction API names its parts wrongly: `enabled_tools` for `context_management.edits`,
`threshold` for `trigger`, `instruction` for `instructions`, and a header `compact-2026-12`. Gateways and wrappers were
written after it, so what it means is understood, and said.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from conversations.ingest.formats.base import list_of, mapping_of, strings_of, text_of, tokens_of

COMPACT = "compact_20260112"
CLEAR_TOOL_USES = "clear_tool_uses_20250919"
CLEAR_THINKING = "clear_thinking_20251015"
DEFAULT_TRIGGER = 150_000  # tokens of input, where the edit names no trigger

_ARTICLES_BETA = "compact-2026-12"
_MEANT = {
    "enabled_tools": "context_management.edits with {type: compact_20260112}",
    "threshold": "trigger {type: input_tokens, value}",
    "instruction": "instructions",
    _ARTICLES_BETA: "the header compact-2026-01-12",
}


class Asked(Struct, frozen=True):
    """A compaction that a request asks for: `edit` at a threshold, else on demand."""

    edit: bool
    instructions: str = ""
    trigger_tokens: int | None = None
    raw: dict[str, Any] = {}


def threshold_of(request: Mapping[str, Any], betas: Sequence[str]) -> Asked | None:
    """The compaction that the API is to make by itself once the input has reached a number of tokens."""
    edit = _edit(request, COMPACT)
    if edit is not None:
        return _asked(edit, {"edit": _without_text(edit)})
    article = _article(request)
    return _asked(article, _explained(article, betas)) if article is not None else None


def on_demand_of(request: Mapping[str, Any]) -> Asked | None:
    """The compaction that this very request is for."""
    config = request.get("compaction")
    if not isinstance(config, dict):
        return None
    return Asked(edit=False, instructions=_instructions(config), raw={"compaction": _without_text(config)})


def clearing_of(request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The edit that clears old tool results or old thinking, as it was asked for; empty where it was not."""
    return _edit(request, kind) or {}


def trigger_of(edit: Mapping[str, Any]) -> int | None:
    """The input tokens at which an edit sets in; None where it counts something else, or by default."""
    trigger = mapping_of(edit.get("trigger"))
    return tokens_of(trigger.get("value")) if trigger.get("type") == "input_tokens" else None


def budget_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """The task's total of tokens over all its contexts, and what remains of it."""
    budget = mapping_of(mapping_of(request.get("output_config")).get("task_budget"))
    counts = {name: tokens_of(budget.get(name)) for name in ("total", "remaining")}
    return {name: count for name, count in counts.items() if count is not None}


def _edits(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [mapping_of(edit) for edit in list_of(mapping_of(request.get("context_management")).get("edits"))]


def _edit(request: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    return next((edit for edit in _edits(request) if edit.get("type") == kind), None)


def _asked(edit: Mapping[str, Any], raw: dict[str, Any]) -> Asked:
    trigger = trigger_of(edit) or tokens_of(edit.get("threshold")) or DEFAULT_TRIGGER
    return Asked(edit=True, instructions=_instructions(edit), trigger_tokens=trigger, raw=raw)


def _instructions(config: Mapping[str, Any]) -> str:
    said = text_of(config.get("instructions")) or text_of(config.get("instruction"))
    return said if said.strip() else ""


def _without_text(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in ("instructions", "instruction")}


# --- as the article spells it -----------------------------------------------------------------------------------------


def _article(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The article's parameters as one object, wherever they stand: beside the messages, in `context_management`, in the
    entry of `enabled_tools` or in an edit without a known type. None where there are none of them."""
    management = mapping_of(request.get("context_management"))
    places = [mapping_of(part) for part in (management, *_edits(request))]
    if "enabled_tools" in request:
        places.insert(0, dict(request))
    entries = [mapping_of(entry) for place in places for entry in list_of(place.get("enabled_tools"))]
    names = ("enabled_tools", "threshold", "instruction", "instructions", "trigger", "pause_after_compaction")
    found = {name: place[name] for place in (*places, *entries) for name in names if place.get(name) is not None}
    named = _names_compaction(found.get("enabled_tools"))
    return found if named or "threshold" in found or "instruction" in found else None


def _names_compaction(tools: object) -> bool:
    """The article's list holds names or objects with a type; one of them is the compaction."""
    kinds = [*strings_of(tools), *(text_of(mapping_of(tool).get("type")) for tool in list_of(tools))]
    return any("compact" in kind for kind in kinds)


def _explained(article: Mapping[str, Any], betas: Sequence[str]) -> dict[str, Any]:
    used = [name for name in ("enabled_tools", "threshold", "instruction") if name in article]
    used += [_ARTICLES_BETA] if _ARTICLES_BETA in betas else []
    meant = "; ".join(f'"{name}" means {_MEANT[name]}' for name in used)
    return {"edit": _without_text(article), "note": f"The request uses names that the API does not have: {meant}."}
