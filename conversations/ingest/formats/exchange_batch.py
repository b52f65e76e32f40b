"""A body of exchanges, `{"exchanges": [...]}`, a bare list, or NDJSON, taken apart: each with its own bytes and index.

An item that cannot be read does not take the others with it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from conversations.errors import BadInput, TooLarge
from conversations.ingest.events import Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.exchanges import read_exchange
from conversations.ingest.formats.lines import problem, storable
from conversations.ingest.formats.native_checks import Limits, is_deeper

_SHAPES = 'Send {"exchanges": [...]}, a list of exchanges, or one exchange a line (NDJSON).'
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Shape(Struct):
    """One JSON object: a batch if it has "exchanges"."""

    exchanges: msgspec.Raw = msgspec.Raw()


_SHAPE = msgspec.json.Decoder(_Shape)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Read:
    """One exchange of a body, or the problem with it, and its bytes."""

    result: Exchange | Problem
    raw: bytes


def read_batch(body: bytes, limits: Limits) -> list[Read]:
    """Every exchange of the body in order. Raises BadInput for what is no batch at all, TooLarge for too many."""
    raws = list(_taken_apart(body))
    if len(raws) > limits.events:
        message = f"This batch has {len(raws):,} exchanges; at most {limits.events:,} are taken."
        raise TooLarge(message, mend="Send them in several batches.", at="exchanges")
    return [Read(read_one(raw, index, limits), raw) for index, raw in enumerate(raws)]


def read_one(raw: bytes, index: int, limits: Limits) -> Exchange | Problem:
    """The bytes of one exchange, or what is wrong with it."""
    if len(raw) > limits.event_bytes:
        message = f"This exchange has {len(raw):,} bytes; at most {limits.event_bytes:,} are taken."
        return problem("too_large", message, mend="Leave out what is binary, or raise the limit.", line=index, raw=raw)
    try:
        item = _item(raw)
    except RecursionError:
        return _too_deep(index, raw, limits)
    except ValueError as error:
        return problem("bad_json", f"This exchange is not JSON: {error}.", mend="Check it.", line=index, raw=raw)
    if is_deeper(item, limits.depth):
        return _too_deep(index, raw, limits)
    read = read_exchange(item, index)
    return msgspec.structs.replace(read, raw=problem("", "", raw=raw).raw) if isinstance(read, Problem) else read


def _item(raw: bytes) -> Any:
    """Decoded, and free of what Postgres cannot store. Raises ValueError, RecursionError."""
    try:
        if b"\\u0000" not in raw:
            return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # the slow way reads it or tells what is wrong
    return storable(json.loads(raw.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None))


def _too_deep(index: int, raw: bytes, limits: Limits) -> Problem:
    message = f"This exchange nests deeper than {limits.depth} levels."
    return problem("too_deep", message, mend="Flatten it.", line=index, raw=raw)


# --- the shape of the body ------------------------------------------------------------------------------------------


def _taken_apart(body: bytes) -> Iterator[bytes]:
    start = body.lstrip()[:1]
    if start not in (b"[", b"{"):
        raise BadInput("The body is no batch of exchanges.", mend=_SHAPES)
    try:
        raws = _RAWS.decode(body) if start == b"[" else _listed(body)
    except _MALFORMED as error:
        raws = _patiently(body, error)
    return (bytes(raw) for raw in raws)


def _listed(body: bytes) -> list[Any]:
    """The items of one object; the object itself if it is an item. Raises what msgspec raises."""
    exchanges = bytes(_SHAPE.decode(body).exchanges)
    if not exchanges:
        return [body]
    if not exchanges.startswith(b"["):
        raise BadInput('"exchanges" must be a list.', mend=_SHAPES, at="exchanges")
    return _RAWS.decode(exchanges)


def _patiently(body: bytes, error: Exception) -> list[bytes]:
    """NDJSON, or JSON that msgspec does not take (half an emoji, NaN), written anew. Raises BadInput, TooLarge."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    try:
        if len(lines) > 1 and isinstance(_item(lines[0]), dict):
            return lines
    except (ValueError, RecursionError):
        pass  # not a line for itself: the body is one document
    try:
        value = _item(body)
    except RecursionError:
        raise TooLarge("The body nests too deep.", mend="Flatten the exchanges.") from None
    except ValueError:
        raise BadInput(f"The body is not JSON: {error}.", mend="Check that it is complete.") from None
    items = value.get("exchanges", [value]) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise BadInput('"exchanges" must be a list.', mend=_SHAPES, at="exchanges")
    return [msgspec.json.encode(item) for item in items]
