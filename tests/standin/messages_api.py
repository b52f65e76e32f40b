"""A local stand-in for the Messages API: real HTTP, the real wire format, one scripted reply a request.

    with MessagesApi() as api:
        api.replies += [overloaded(), says({"facts": []})]
        Anthropic(api_key="key", base_url=api.url).messages.create(...)
        api.requests[0].body["model"]

A reply is a function from the request to what is sent. When the script has run out, `api.otherwise` answers.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.standin.listening import Listening

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict
    body: dict
    tokens: tuple = (0, 0, 1)  # written to the cache, read from it, neither

    def text(self):
        """Everything that was said to the model."""
        said = [self.body.get("system", "")]
        for message in self.body["messages"]:
            content = message["content"]
            said += [content] if isinstance(content, str) else [block.get("text", "") for block in content]
        return "\n".join(said)


@dataclass(frozen=True)
class Sent:
    """What goes back. `status` 0: the connection is closed without an answer."""

    status: int
    body: bytes
    headers: dict = field(default_factory=dict)


Reply = Callable[[Received], Sent]


# --- replies ---------------------------------------------------------------------------------------------------------


def says(answer, **fields):
    """An ordinary answer: a text block, as JSON unless it is a string. `fields` overwrite the message's."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return lambda received: Sent(200, _json(message(received, text, **fields)))


def refuses(explanation="This cannot be answered."):
    details = {"type": "refusal", "category": "general_harms", "explanation": explanation}
    return says("", content=[], stop_reason="refusal", stop_details=details)


def is_cut_off():
    return says('{"verdicts": [{"id": "f0", "outc', stop_reason="max_tokens")


def fails(status, kind, text="Not today.", **headers):
    body = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_standin"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Sent(status, _json(body), sent)


def rate_limited(retry_after="0.01"):
    return fails(429, "rate_limit_error", "Too many tokens a minute.", retry_after=retry_after)


def overloaded():
    return fails(529, "overloaded_error", "Overloaded", retry_after="0.01")


def is_not_json():
    return lambda _: Sent(200, b"<html>Bad gateway</html>", {"content-type": "text/html"})


def is_no_message():
    return lambda _: Sent(200, b"{}")


def hangs_up():
    return lambda _: Sent(0, b"")


def waits_for(event, then):
    """Answers once the event is set; the test decides when, no clock does."""

    def reply(received):
        event.wait()
        return then(received)

    return reply


def message(received, text, **fields):
    """A message as the API writes it, with token counts made of the characters that came."""
    written, read, fresh = received.tokens
    return {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": received.body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": fresh,
            "output_tokens": len(text) // CHARACTERS_PER_TOKEN + 1,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        },
        **fields,
    }


def _json(value):
    return json.dumps(value).encode()


# --- the server ------------------------------------------------------------------------------------------------------


class MessagesApi(Listening):
    """Listens on a free local port while the `with` block runs."""

    def __init__(self, api_key="test-key"):
        self.api_key = api_key
        self.replies = []
        self.otherwise = fails(500, "api_error", "The script has run out.")
        self.requests = []
        self._cached = set()
        self._lock = threading.Lock()
        super().__init__(_handler_of(self))

    def answer(self, path, headers, body):
        """What to send, checked and counted as the API does; about batches whatever the script says."""
        if path.startswith("/v1/messages/batches"):
            return self.replies.pop(0)(None)
        if path != "/v1/messages":
            return fails(404, "not_found_error", path)(None)
        key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")  # client 2.x
        if key != self.api_key:
            return fails(401, "authentication_error", "invalid API key")(None)
        if missing := [name for name in ("model", "max_tokens", "messages") if name not in body]:
            return fails(400, "invalid_request_error", f"{missing[0]}: Field required")(None)
        with self._lock:
            received = Received(path, headers, body, self._count(body))
            self.requests.append(received)
            reply = self.replies.pop(0) if self.replies else self.otherwise
        return reply(received)

    def _count(self, body):
        """Tokens written to the cache, read from it, and neither: blocks up to the last mark are cached."""
        blocks = [block for said in body["messages"] if isinstance(said["content"], list) for block in said["content"]]
        marked = max((number + 1 for number, block in enumerate(blocks) if "cache_control" in block), default=0)
        prefix = body.get("system", "") + "".join(block["text"] for block in blocks[:marked])
        cached = len(prefix) // CHARACTERS_PER_TOKEN if marked else 0
        fresh = len(json.dumps(body["messages"])) // CHARACTERS_PER_TOKEN - cached
        known = prefix in self._cached
        self._cached.add(prefix)
        return (0, cached, max(1, fresh)) if known else (cached, 0, max(1, fresh))


def _handler_of(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # the name is the library's
            self.do_POST()

        def do_POST(self):  # as above
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(api.answer(self.path, headers, body))

        def _send(self, sent):
            self.close_connection = True
            if not sent.status:
                return
            headers = {"content-type": "application/json", "request-id": "req_standin", **sent.headers}
            try:
                self.send_response(sent.status)
                for name, value in {**headers, "content-length": str(len(sent.body)), "connection": "close"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent.body)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client gave up waiting, which is what some tests are about

        def log_message(self, *_):
            """Say nothing: the test does."""

    return Handler
