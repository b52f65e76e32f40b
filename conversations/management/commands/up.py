"""Start everything: database, web server, background jobs."""

import json
import logging
import os
import signal
import sys
from argparse import BooleanOptionalAction
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from conversations.management.commands.create_api_key import find_workspace
from conversations.ops import programs
from conversations.ops.claims import Taken, claim_directory, claim_port
from conversations.ops.preparation import OWNER, Welcome, prepare
from conversations.ops.supervisor import GaveUp, Program, Stopped, Supervisor
from observatory.embedded import Cluster, DatabaseTrouble

log = logging.getLogger(__name__)

#: Where harnesses keep their sessions.
SESSIONS = ("~/.claude/projects", "~/.codex/sessions")
#: A database that was not stopped well reads its log first: 1 GB at most, at 50 MB/s or more.
_DATABASE_SECONDS = 120.0
_READY_SECONDS = 60.0
_PREPARE_SECONDS = 600.0


class Command(BaseCommand):
    """`manage.py up [--demo]`."""

    help = "Start everything: database, web server, background jobs. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and what to load."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
        parser.add_argument("--demo", action="store_true", help="load sample conversations")
        parser.add_argument(
            "--import",
            dest="import_sessions",
            action=BooleanOptionalAction,
            default=None,
            help=f"import what is in {' and '.join(SESSIONS)} (default: ask)",
        )
        parser.add_argument("--workers", type=int, help="processes for background jobs (OBSERVATORY_WORKER_PROCESSES)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Claim, start, stay, stop."""
        if options["workers"]:
            settings.WORKER_PROCESSES = options["workers"]
        try:
            lock = claim_directory(settings.DATA_DIR)
            listener = claim_port(options["host"], options["port"])
        except Taken as error:
            raise CommandError(str(error)) from None
        port = listener.getsockname()[1]
        host = options["host"] if options["host"] not in ("0.0.0.0", "::") else "localhost"  # noqa: S104 -- compared
        url = settings.PUBLIC_URL or f"http://{host}:{port}"
        programs.preload()
        supervisor = Supervisor()
        try:
            welcome = self._start(supervisor, listener)
            self._welcome(url, welcome)
            self._offer(supervisor, options, is_first=bool(welcome.api_key))
            supervisor.run()
        except Stopped:
            log.info("asked to stop while starting")
        except (GaveUp, DatabaseTrouble) as error:
            raise CommandError(str(error)) from None
        finally:
            supervisor.stop()
            listener.close()
            os.close(lock)
        self._say("Stopped.")

    def _start(self, supervisor: Supervisor, listener: Any) -> Welcome:
        if settings.EMBEDDED_POSTGRES:
            cluster = Cluster(settings.DATA_DIR)
            cluster.prepare()
            _end_leftover(supervisor, cluster)
            supervisor.start(programs.database(cluster), ready_within=_DATABASE_SECONDS)
        welcome = _prepare(supervisor)
        askers = [programs.asker()] if settings.LLM_API_KEY else []
        workers = [programs.worker(), programs.digester(), *askers]
        for program in (programs.scheduler(), *workers, programs.web(listener)):
            supervisor.start(program, ready_within=_READY_SECONDS)
        return welcome

    # --- what it says -------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _welcome(self, url: str, welcome: Welcome) -> None:
        self._say(f"\nObservatory is ready at {url}")
        if welcome.api_key:
            self._say(f"  sign in, once:  {url}{welcome.sign_in_path}")
            self._say(f"  API key:        {welcome.api_key}   (shown only now)\n")
        else:
            self._say(f"  a link to sign in:  {_script()} sign_in_link {OWNER} --url {url}\n")

    def _offer(self, supervisor: Supervisor, options: dict[str, Any], *, is_first: bool) -> None:
        """Load the samples; import, ask, or tell how."""
        if options["demo"]:
            supervisor.run_in_background(_once("demo", _load_demo))
        found = {path: count for path in SESSIONS if (count := _count(path))}
        wish = options["import_sessions"]
        if not found or wish is False:
            return
        files = ", ".join(f"{count:,} in {path}" for path, count in found.items())
        if wish:
            supervisor.run_in_background(_import(list(found)))
        elif is_first and sys.stdin.isatty():
            self._say(f"Sessions found: {files}. Import them? [y/N]")
            supervisor.watch(sys.stdin.fileno(), lambda fd: self._answered(supervisor, fd, list(found)))
        elif is_first:
            self._say(f"Sessions found: {files}. To import them:  {_script()} import {' '.join(found)}\n")

    def _answered(self, supervisor: Supervisor, fd: int, paths: list[str]) -> None:
        supervisor.unwatch(fd)
        if os.read(fd, 100).strip().lower() in (b"y", b"yes"):
            supervisor.run_in_background(_import(paths))
        else:
            self._say(f"Nothing imported. Later:  {_script()} import {' '.join(paths)}\n")


def _script() -> str:
    """How this was called, for the commands that are told."""
    if not sys.argv[0].endswith("manage.py"):
        return "observatory"
    python = os.path.relpath(sys.executable)
    return f"{'python' if python.startswith('..') else python} manage.py"


def _count(path: str) -> int:
    return sum(1 for _ in Path(path).expanduser().rglob("*.jsonl"))


# --- what runs once ---------------------------------------------------------------------------------------------------


def _once(name: str, do: Callable[[], None]) -> Program:
    return Program(name, lambda _ready: do(), once=True)


def _prepare(supervisor: Supervisor) -> Welcome:
    """In a child, so that no connection is shared with those to come."""
    heard, tell = os.pipe()

    def prepare_and_tell() -> None:
        os.write(tell, json.dumps(prepare().as_dict()).encode())

    program = _once("prepare", prepare_and_tell)
    supervisor.start(program, ready_within=_PREPARE_SECONDS)
    os.close(tell)
    if program.exit_code:
        raise GaveUp("The database could not be prepared; the reason is above.")
    with os.fdopen(heard) as told:
        return Welcome(**json.load(told))


def _import(paths: list[str]) -> Program:
    def import_all() -> None:
        call_command("import", *paths, workspace=find_workspace(None).slug, processes=1)

    return _once("import", import_all)


def _load_demo() -> None:
    from conversations.ops.demo import load_demo  # noqa: PLC0415 -- only where it is wanted

    load_demo(find_workspace(None))
    connection.close()


def _end_leftover(supervisor: Supervisor, cluster: Cluster) -> None:
    """A database whose supervisor was killed may still be stopping; where it was not told, tell it."""
    if pid := cluster.running():
        log.warning("stopping a database left behind pid=%s", pid)
        os.kill(pid, signal.SIGINT)
        supervisor.run_until(lambda: not cluster.running(), seconds=_DATABASE_SECONDS)
