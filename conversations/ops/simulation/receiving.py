"""Take in what is recorded without a running server: the same web application, on a local port, for a while."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.utils import timezone

from conversations.models import Workspace
from conversations.ops.simulation.running import Destination
from conversations.people.keys import create_api_key, revoke_api_key
from conversations.vocabulary import Scope

_LIFETIME = timedelta(hours=6)  # of the key, should this process be killed

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@contextmanager
def receive_into(workspace: Workspace) -> Iterator[Destination]:
    """Where to record to while the block runs; it is stored in the configured database."""
    expires_at = timezone.now() + _LIFETIME
    row, key = create_api_key(workspace=workspace, name="simulate", scopes=[Scope.INGEST], expires_at=expires_at)
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Silent)
    server.set_app(_as_if_from_outside(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="receiver")
    thread.start()
    try:
        yield Destination(f"http://127.0.0.1:{server.server_port}", key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        revoke_api_key(row)


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """The command says what there is to say."""


def _as_if_from_outside(application: Wsgi) -> Wsgi:
    """Asked by the name and scheme that the settings want, although it is this machine that asks."""
    allowed = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        environ["HTTP_HOST"] = allowed[0] if allowed else "localhost"
        environ["wsgi.url_scheme"] = "https" if settings.SECURE_SSL_REDIRECT else "http"
        return application(environ, start)

    return answer
