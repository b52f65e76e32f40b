"""An Observatory's way in, for tests: real HTTP, takes exchanges as the server does, or answers what the test says."""

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.standin.listening import Listening


@dataclass(frozen=True)
class Got:
    """One request as it came, its body decompressed."""

    method: str
    path: str
    headers: dict
    body: bytes


@dataclass(frozen=True)
class Say:
    """An answer. Status 0 = the connection is closed without one."""

    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)


def error(status, code="", message="", **headers):
    body = json.dumps({"error": {"code": code, "message": message, "at": "", "mend": ""}}).encode()
    return Say(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def taken(lines, results=None):
    results = results or [{"index": index, "status": "accepted"} for index, _ in enumerate(lines)]
    return Say(207, json.dumps({"results": results}).encode())


class Collector(Listening):
    """Listens on a free local port while the `with` block runs. When `answers` are used up, everything is taken."""

    def __init__(self, port=0):
        self.exchanges = []
        self.requests = []
        self.answers: list[Say | Callable[[Got], Say]] = []
        self.events: list[dict] = []  # of our own form: what agents did about budgets
        self.budgets: list[Say] = []  # one after the other; the last stays
        self._seen = threading.Condition()
        super().__init__(_handler_of(self), port)

    def wait_for(self, condition, timeout=10):
        """Until the collector is as the test wants it; fails after `timeout` seconds."""
        with self._seen:
            assert self._seen.wait_for(lambda: condition(self), timeout), (self.requests, self.exchanges)

    def answer(self, got):
        with self._seen:
            self.requests.append(got)
            answer = self.answers.pop(0) if self.answers else self._take
            self._seen.notify_all()
        answer = answer(got) if callable(answer) else answer
        with self._seen:
            self._seen.notify_all()
        return answer

    def _take(self, got):
        if got.method == "GET":
            return self.budgets.pop(0) if len(self.budgets) > 1 else self.budgets[0]
        if got.path == "/api/v1/events":
            events = json.loads(got.body)["events"]
            self.events += events
            return taken(events)
        exchanges = [json.loads(line) for line in got.body.splitlines()]
        self.exchanges += exchanges
        return taken(exchanges)


def _handler_of(collector):
    class Handler(BaseHTTPRequestHandler):
        def _serve(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(collector.answer(Got(self.command, self.path, headers, body)))

        def do_POST(self):  # the name is the library's
            self._serve()

        def do_GET(self):  # as above
            self._serve()

        def _send(self, said):
            if not said.status:
                return
            try:
                self.send_response(said.status)
                for name, value in {**said.headers, "content-length": str(len(said.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)
            except (BrokenPipeError, ConnectionResetError):
                return  # the recorder gave up waiting, which is what some tests are about

        def log_message(self, *_):
            """Say nothing: the test does."""

    return Handler
