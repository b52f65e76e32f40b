"""The stand-in over HTTP, on a port of this machine that the system chooses."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.requests import Refused
from conversations.ops.simulation.streaming import events_of

_MESSAGES = "/v1/messages"
_COUNT = "/v1/messages/count_tokens"


@contextmanager
def serve(answerer: Answerer) -> Iterator[str]:
    """The address that a client is given as `base_url`, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(answerer))
    server.daemon_threads = True  # of clients that keep their connection open
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="messages-api")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(answerer: Answerer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name is the library's
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, kind, body = _answer(answerer, self.path.partition("?")[0], headers, self.rfile.read(length))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("request-id", "req_simulated")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the run does."""

    return Handler


_Sent = tuple[int, str, bytes]  # status, content type, body


def _answer(answerer: Answerer, path: str, headers: dict[str, str], body: bytes) -> _Sent:
    try:
        return _routed(answerer, path, headers, _object(body))
    except Refused as error:
        return _json(error.status, _refusal(error))


def _object(body: bytes) -> dict[str, Any]:
    """Raises Refused."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Refused(f"The request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused("The request body is no JSON object")
    return value


def _routed(answerer: Answerer, path: str, headers: dict[str, str], body: dict[str, Any]) -> _Sent:
    """Raises Refused."""
    if not (headers.get("x-api-key") or headers.get("authorization")):
        raise Refused("x-api-key header is required", status=401, kind="authentication_error")
    betas = [beta.strip() for beta in headers.get("anthropic-beta", "").split(",")]
    if path == _COUNT:
        return _json(200, answerer.count(body, betas))
    if path != _MESSAGES:
        raise Refused(f"Not found: {path}", status=404, kind="not_found_error")
    if not body.get("max_tokens"):
        raise Refused("max_tokens: Field required")
    message = answerer.answer(body, betas)
    if not body.get("stream"):
        return _json(200, message)
    events = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events_of(message))
    return 200, "text/event-stream; charset=utf-8", "".join(events).encode()


def _json(status: int, body: dict[str, Any]) -> _Sent:
    return status, "application/json", json.dumps(body).encode()


def _refusal(error: Refused) -> dict[str, Any]:
    body: dict[str, Any] = {"type": error.kind, "message": str(error)}
    if error.code:
        body["details"] = {"error_code": error.code}
    return {"type": "error", "error": body, "request_id": "req_simulated"}
