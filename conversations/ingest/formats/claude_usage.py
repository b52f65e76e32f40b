"""Count the tokens of Claude Code's requests, and find the summarising call's share in its cost records."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from conversations.ingest.events import Usage
from conversations.ingest.formats.anthropic_usage import written_for_an_hour
from conversations.ingest.formats.base import list_of, mapping_of, tokens_of
from conversations.ingest.formats.claude_records import Spending
from conversations.spending.terms import tier_of

#: 2.1.14 to 2.1.29 log 1 or 2 output tokens a response whatever was written: 456 responses, 1,157 tokens.
_PLACEHOLDERS = ((2, 1, 14), (2, 1, 29))
_USAGE_NAMES = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_COST_NAMES = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


def usage_of(usage: Mapping[str, Any], version: str) -> Usage:
    """As reported, without output counts that are known to be placeholders."""
    return Usage(
        input_tokens=tokens_of(usage.get("input_tokens")),
        cache_read_tokens=tokens_of(usage.get("cache_read_input_tokens")),
        cache_write_tokens=tokens_of(usage.get("cache_creation_input_tokens")),
        output_tokens=None if has_placeholders(version) else tokens_of(usage.get("output_tokens")),
        cache_write_1h_tokens=written_for_an_hour(usage),
        service_tier=tier_of(usage.get("service_tier"), usage.get("speed")),
    )


@lru_cache(maxsize=256)
def has_placeholders(version: str) -> bool:
    """Whether this version's output counts are placeholders."""
    try:
        numbers = tuple(int(part) for part in version.split(".")[:3])
    except ValueError:
        return False
    return _PLACEHOLDERS[0] <= numbers <= _PLACEHOLDERS[1]


def context_of(usage: Mapping[str, Any]) -> int | None:
    """Of a response made in several passes only the last says how large the context is; None = as `usage` says."""
    iterations = map(mapping_of, list_of(usage.get("iterations")))
    passes = [item for item in iterations if item.get("type", "message") == "message"]
    if len(passes) <= 1:
        return None
    read, _, cached, written = counts_of(passes[-1])
    return read + cached + written


def counts_of(usage: Mapping[str, Any]) -> list[int]:
    """Input, output, cache read, cache write; 0 where not said."""
    return [tokens_of(usage.get(name)) or 0 for name in _USAGE_NAMES]


def totals_of(model_usage: object) -> dict[str, list[int]]:
    """The cumulative counts of a cost-state record by model, in the same order."""
    return {
        model: [tokens_of(mapping_of(entry).get(name)) or 0 for name in _COST_NAMES]
        for model, entry in mapping_of(model_usage).items()
    }


def close_request(spending: Spending, model: str) -> None:
    """The request under way is complete: add it to what was spent."""
    if spending.current is not None:
        spent = spending.spent.get(model, [0, 0, 0, 0])
        spending.spent[model] = [a + b for a, b in zip(spent, spending.current, strict=True)]
        spending.current = None


def unaccounted(spending: Spending, totals: Mapping[str, list[int]], model: str) -> Usage | None:
    """The model's tokens since the last cost-state that no request accounts for: those of the one compaction since.

    None where they cannot be told: no cost-state before, several compactions, a subagent at work, totals begun anew.
    """
    if spending.totals is None or model not in totals or spending.compactions != 1 or spending.delegated:
        return None
    before = spending.totals.get(model, [0, 0, 0, 0])
    spent = spending.spent.get(model, [0, 0, 0, 0])
    rest = [now - then - used for now, then, used in zip(totals[model], before, spent, strict=True)]
    if min(rest) < 0 or not any(rest):
        return None
    return Usage(input_tokens=rest[0], output_tokens=rest[1], cache_read_tokens=rest[2], cache_write_tokens=rest[3])
