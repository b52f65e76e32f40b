"""`observatory-hook`: what Claude Code and Codex run at compactions and ends of turns; installs and removes itself.

Whatever happens, the tool that calls it sees an exit code of 0 and no output, at once: another process sends.
"""

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .hook_install import EVENTS, Refused, install, installed_in, needed_target, save_target, uninstall
from .hook_shipping import Ledger, ship, upload
from .post import Server, Verdict
from .settings import cache_folder

log = logging.getLogger("observatory_recorder")

_TIMEOUT = 60.0  # seconds for one request; nobody waits
_MOST_READ = 16 * 1024 * 1024  # characters of an event; one holds a summary at most
_LOG_BYTES = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Without arguments: an event is on stdin. The exit code; for an event always 0."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if not given:
        return _take_event()
    asked = _parser().parse_args(given)
    try:
        return int(asked.run(asked))
    except Refused as error:
        sys.stderr.write(f"observatory-hook: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("observatory-hook", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, told in (
        ("install", _install, "add it to the settings of Claude Code, or of Codex; what is there stays"),
        ("uninstall", _uninstall, "remove it from the settings"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("tool", nargs="?", choices=("claude-code", "codex"), default="claude-code")
        command.add_argument("--codex", action="store_true", help="the same as codex")
        command.add_argument("--settings", type=Path, help="another settings file than the user's own")
        command.set_defaults(run=run)
        if run is _install:
            command.add_argument("--url", help="the Observatory's address, kept in a file only you can read")
            command.add_argument("--key", help="an API key that may ingest")
    send = commands.add_parser("send", help="send session files now and say what became of them")
    send.add_argument("files", type=Path, nargs="+")
    send.set_defaults(run=_send)
    shipping = commands.add_parser("ship")  # what an event starts
    shipping.add_argument("event")
    shipping.add_argument("transcript", type=Path)
    shipping.set_defaults(run=_ship)
    return parser


# --- an event ---------------------------------------------------------------------------------------------------------


def _take_event() -> int:
    try:
        event = _event(sys.stdin.read(_MOST_READ))
        if event is not None:
            _start(*event)
    except Exception:  # the tool must not notice us
        with suppress(Exception):  # not even that there is no home to write a log to
            _log_to_file()
            log.warning("An event was not taken.", exc_info=True)
    return 0


def _event(text: str) -> tuple[str, str] | None:
    """The event's name and its session file; None where it has none or is not one of ours."""
    told = json.loads(text)
    name, transcript = told.get("hook_event_name"), told.get("transcript_path")
    return (name, transcript) if name in EVENTS and transcript else None


def _start(name: str, transcript: str) -> None:
    command = [sys.executable, "-m", f"{__package__}.hook", "ship", name, str(Path(transcript).expanduser())]
    nothing = subprocess.DEVNULL
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)  # noqa: S603 -- ourselves


def _ship(asked: argparse.Namespace) -> int:
    _log_to_file()
    try:
        where = needed_target()
        ship(_server(where), Ledger(cache_folder(*where) / "sessions"), asked.event, asked.transcript)
    except Exception:  # nobody sees an exit code here
        log.warning("%s was not sent.", asked.transcript, exc_info=True)
    return 0


def _log_to_file() -> None:
    """Nobody reads our stderr: the last megabyte is kept beside the cache."""
    folder = cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "hook.log"
    if file.exists() and file.stat().st_size > _LOG_BYTES:
        file.replace(folder / "hook.log.1")
    logging.basicConfig(filename=file, format="%(asctime)s %(levelname)s %(message)s")


def _server(where: tuple[str, str]) -> Server:
    return Server(*where, timeout=_TIMEOUT)


# --- commands ---------------------------------------------------------------------------------------------------------


def _install(asked: argparse.Namespace) -> int:
    is_codex = _is_codex(asked)
    save_target(asked.url, asked.key)
    file = installed_in(asked.settings, codex=is_codex)
    changed = install(file, _command(), codex=is_codex)
    _say(f"{'Added to' if changed else 'Already in'} {file}.")
    if is_codex and changed:
        _say("Codex runs a new hook only when you have trusted it: open /hooks in it once, also for `codex exec`.")
    return 0


def _is_codex(asked: argparse.Namespace) -> bool:
    return bool(asked.codex or asked.tool == "codex")


def _uninstall(asked: argparse.Namespace) -> int:
    file = installed_in(asked.settings, codex=_is_codex(asked))
    _say(f"{'Removed from' if uninstall(file) else 'Not in'} {file}.")
    return 0


def _send(asked: argparse.Namespace) -> int:
    where = needed_target()
    answers = [(file, upload(_server(where), file)) for file in asked.files if file.is_file()]
    for file, answer in answers:
        _say(f"{file}: {_told(answer.body) if answer.verdict is Verdict.TAKEN else answer.told}")
    is_fine = len(answers) == len(asked.files) and all(answer.verdict is Verdict.TAKEN for _, answer in answers)
    return 0 if is_fine else 1


def _told(receipt: dict[str, Any]) -> str:
    batch = receipt.get("batch")
    return f"taken as batch {batch['id']}" if isinstance(batch, dict) and "id" in batch else "taken"


def _command() -> list[str]:
    """How the tool shall call us: by the script beside this Python, or as a module of it."""
    script = Path(sys.executable).with_name("observatory-hook")
    return [str(script)] if script.exists() else [sys.executable, "-m", f"{__package__}.hook"]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
