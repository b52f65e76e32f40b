"""The web server: gunicorn with threads, on a socket that is already open."""

import os
import socket
from collections.abc import Callable
from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication

from observatory.wsgi import application


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, told its settings by us and not by a file or the command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn asks for first."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """What it serves."""
        return application


def serve(listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until told to stop; calls `ready` when the first process takes requests."""
    Server(
        {
            "bind": [f"fd://{os.dup(listener.fileno())}"],
            "worker_class": "gthread",
            "workers": settings.WEB_WORKERS,
            "threads": settings.WEB_THREADS,
            "timeout": settings.WEB_TIMEOUT,
            "graceful_timeout": 10,
            "keepalive": 5,
            "preload_app": True,
            "worker_tmp_dir": _memory_folder(),
            "control_socket_disable": True,
            "loglevel": "warning",
            "post_worker_init": lambda _worker: ready(),
        }
    ).run()


def _memory_folder() -> str | None:
    """Where the sign of life of a process costs no disk write."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- gunicorn makes a private file in it
