"""Count the tokens of a Messages API answer: one call for each sampling that it took."""

from collections.abc import Mapping
from typing import Any

from conversations.ingest.events import Usage
from conversations.ingest.exchange import Call
from conversations.ingest.formats.base import list_of, mapping_of, name_of, tokens_of
from conversations.spending.terms import tier_of


def usage_of(counts: Mapping[str, Any]) -> Usage:
    """As the API counts: input without what was read from or written to the cache."""
    return Usage(
        input_tokens=tokens_of(counts.get("input_tokens")),
        cache_read_tokens=tokens_of(counts.get("cache_read_input_tokens")),
        cache_write_tokens=tokens_of(counts.get("cache_creation_input_tokens")),
        output_tokens=tokens_of(counts.get("output_tokens")),
        cache_write_1h_tokens=written_for_an_hour(counts),
        service_tier=tier_of(counts.get("service_tier"), counts.get("speed")),
    )


def written_for_an_hour(counts: Mapping[str, Any]) -> int | None:
    """Of the tokens written to the cache, those that stay for an hour; None where it is not told."""
    return tokens_of(mapping_of(counts.get("cache_creation")).get("ephemeral_1h_input_tokens"))


def iterations_of(usage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The samplings as the API lists them, in order; none before the compaction beta."""
    return [mapping_of(iteration) for iteration in list_of(usage.get("iterations")) if isinstance(iteration, dict)]


def calls_of(usage: Mapping[str, Any], model: str) -> list[Call]:
    """The top-level counts leave the summarising calls out, so the iterations are counted where there are any."""
    iterations = iterations_of(usage)
    if iterations:
        tier = {name: usage[name] for name in ("service_tier", "speed") if name in usage}  # told of all together
        return [_call({**tier, **iteration}, model) for iteration in iterations]
    return [Call(usage=usage_of(usage), model=model)] if usage else []


def _call(iteration: Mapping[str, Any], model: str) -> Call:
    purpose = "compaction" if iteration.get("type") == "compaction" else "turn"
    return Call(usage=usage_of(iteration), model=name_of(iteration.get("model")) or model, purpose=purpose)


def context_of(counts: Mapping[str, Any]) -> int | None:
    """What the model read; None where nothing is said of it."""
    usage = usage_of(counts)
    parts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    return None if usage.input_tokens is None else sum(part or 0 for part in parts)
