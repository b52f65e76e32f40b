"""A receiver of webhooks: an HTTP server on this machine that answers as a test says and remembers what it got."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec


@dataclass
class Receiver:
    url: str = ""
    answers: list = field(default_factory=list)  # (status, headers), the last one for good
    requests: list = field(default_factory=list)  # (path, headers, body)
    may_answer: threading.Event = field(default_factory=threading.Event)  # cleared: it keeps its callers waiting

    def forget(self):
        self.answers[:], self.requests[:] = [(204, {})], []
        self.may_answer.set()

    def answer(self, status, **headers):
        self.answers[:] = [(status, {name.replace("_", "-"): value for name, value in headers.items()})]

    @property
    def bodies(self):
        return [msgspec.json.decode(body) for _, _, body in self.requests]

    @property
    def keys(self):
        return [headers["Idempotency-Key"] for _, headers, _ in self.requests]


def serve(host="127.0.0.1"):
    """(receiver, server): call `server.shutdown()` in the end."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.requests.append((self.path, dict(self.headers), body))
            receiver.may_answer.wait(10)
            status, headers = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    receiver.url = f"http://{host}:{server.server_port}"
    receiver.forget()
    return receiver, server
