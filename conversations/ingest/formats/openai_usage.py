"""Count the tokens of an OpenAI answer on the product's basis: its own input counts include the cache's."""

from collections.abc import Mapping
from typing import Any

from conversations.ingest.events import Usage
from conversations.ingest.formats.base import mapping_of, tokens_of
from conversations.spending.terms import tier_of


def usage_of(usage: Mapping[str, Any], tier: object = None) -> Usage:
    """Of a response (`input_tokens`) or a chat completion (`prompt_tokens`)."""
    kind = "input" if "input_tokens" in usage else "prompt"
    total = tokens_of(usage.get(f"{kind}_tokens"))
    details = mapping_of(usage.get(f"{kind}_tokens_details"))
    read, written = tokens_of(details.get("cached_tokens")), tokens_of(details.get("cache_write_tokens"))
    fresh = None if total is None else max(0, total - (read or 0) - (written or 0))
    written_out = usage.get("output_tokens" if kind == "input" else "completion_tokens")
    return Usage(
        input_tokens=fresh,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=tokens_of(written_out),
        service_tier=tier_of(tier),
    )
