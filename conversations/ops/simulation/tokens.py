"""How large things are for the stand-in: characters of their JSON, four to a token. No tokenizer is published."""

import json
from typing import Any

CHARACTERS_PER_TOKEN = 4
MESSAGE_TOKENS = 3  # that a message takes beside its content: its role and its ends
_MARKS = frozenset({"cache_control", "signature", "citations", "caller"})  # no model reads these


def tokens(value: Any) -> int:
    """Of a text, a block, a list of blocks or tools; 0 for nothing."""
    if not value:
        return 0
    text = value if isinstance(value, str) else json.dumps(_read(value), ensure_ascii=False, separators=(",", ":"))
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def message_tokens(message: dict[str, Any]) -> int:
    """Of a message with its role."""
    return MESSAGE_TOKENS + tokens(message["content"])


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, dict):
        return {name: _read(inner) for name, inner in value.items() if name not in _MARKS and inner is not None}
    return value
