"""A seen call as one line for POST /api/v1/exchanges. Bodies are copied into it unread, unless they hold a secret."""

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from .routes import BATCHES
from .seen import Seen

_OK = range(200, 300)
_SECRET_KEYS = frozenset({"authorization_token", "authorization", "headers"})  # of MCP servers, in a request's body
_SECRET_MARKS = (b'"authorization_token"', b'"authorization"', b'"headers"')
_REMOVED = "[removed by the recorder]"
_EMPTY_FRAME = 16  # bytes of Amazon's, without headers and payload
_TOLD_OF_AN_ERROR = 4000  # characters of an error body that is not JSON


class Unreadable(ValueError):
    """The bodies cannot be told: the request is no JSON object."""


def line_of(seen: Seen) -> bytes:
    """The exchange as one line of JSON without its end. Raises Unreadable."""
    parts = [_head(seen)[:-1], b',"request":', _body(seen.request), *_answer(seen), b"}"]
    return b"".join(parts)


def _head(seen: Seen) -> bytes:
    at = datetime.fromtimestamp(seen.started, UTC).isoformat(timespec="milliseconds")
    head: dict[str, Any] = {"id": seen.id, "at": at}
    if seen.route.endpoint != BATCHES:  # there, when the results were fetched says nothing
        head["duration_ms"] = round(seen.duration * 1000)
    head |= seen.labels.said() | {"endpoint": seen.route.endpoint}
    if seen.provider:
        head["provider"] = seen.provider
    if seen.route.model:
        head["model"] = seen.route.model
    if seen.betas:
        head["headers"] = {"anthropic-beta": seen.betas}
    return json.dumps(head).encode()


def _body(body: bytes) -> bytes:
    """The request on one line, without the secrets that the API takes in bodies."""
    line = _one_line(body)
    if not _is_object(line):
        raise Unreadable
    if any(mark in line for mark in _SECRET_MARKS):
        return json.dumps(without_secrets(json.loads(line))).encode()
    return line


def without_secrets(request: dict[str, Any]) -> dict[str, Any]:
    """Tokens and headers for MCP servers are blanked. The conversation itself is left alone."""
    for place in ("mcp_servers", "tools"):
        for item in request.get(place) or []:
            if isinstance(item, dict):
                item.update(dict.fromkeys(item.keys() & _SECRET_KEYS, _REMOVED))
    return request


def _answer(seen: Seen) -> Iterator[bytes]:
    if not seen.status:
        yield b',"response":null,"error":' + _error(0, {"type": seen.failure or "no_answer"})
        return
    answer = seen.decode(seen.answer) if seen.decode else seen.answer
    if seen.status not in _OK:
        yield b',"response":null,"error":' + _error(seen.status, _error_body(answer))
    elif "event-stream" in seen.kind or "eventstream" in seen.kind:
        yield from (b',"stream":[', b",".join(_events(answer, seen.kind)), b"]")
    elif _is_object(line := _one_line(answer)):
        yield b',"response":' + line
    else:
        yield b',"response":null'
    if seen.failure and seen.status in _OK:
        yield b',"error":' + _error(0, {"type": seen.failure})


def _error(status: int, body: Any) -> bytes:
    return json.dumps({"status": status, "body": body} if status else {"body": body}).encode()


def _error_body(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:  # a gateway's HTML page, or an answer that was not read
        return answer[:_TOLD_OF_AN_ERROR].decode("utf-8", "replace")


def _one_line(body: bytes) -> bytes:
    """Line ends stand only between the tokens of JSON, never within: a space does as well."""
    return body.replace(b"\n", b" ").replace(b"\r", b" ").strip()


def _is_object(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")


# --- streams ----------------------------------------------------------------------------------------------------------


def _events(stream: bytes, kind: str) -> Iterator[bytes]:
    """The events of a stream, each a JSON object on one line; what is none ("[DONE]") is left out."""
    events = _amazon_events(stream) if "amazon" in kind else _sse_events(stream)
    return (line for event in events if _is_object(line := _one_line(event)))


def _sse_events(stream: bytes) -> Iterator[bytes]:
    """The data of each server-sent event. One that was cut off in its middle is none."""
    data: list[bytes] = []
    for line in stream.splitlines():
        if line.startswith(b"data:"):
            data.append(line[5:])
        elif not line and data:
            yield b" ".join(data)
            data = []


def _amazon_events(stream: bytes) -> Iterator[bytes]:
    """The payloads of Amazon's event stream: {"bytes": the event, base64} each, unpacked.

    A frame: its length and that of its headers (4 bytes each), a checksum, headers, payload, a checksum.
    """
    place = 0
    while place + _EMPTY_FRAME <= len(stream):
        length, headers = struct.unpack_from(">II", stream, place)
        if length < _EMPTY_FRAME or place + length > len(stream):
            return
        yield _unpacked(stream[place + 12 + headers : place + length - 4])
        place += length


def _unpacked(payload: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(payload)["bytes"])
    except (ValueError, KeyError, TypeError):  # the frame of an exception: its message
        return b'{"type":"error","error":' + payload + b"}"
