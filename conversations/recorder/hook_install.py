"""The hook in the user's settings of Claude Code or Codex: added and removed without touching anything else."""

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

from .settings import config_folder, url_and_key

_MARK = re.compile(r"observatory-hook\b|\b(?:observatory_recorder|conversations\.recorder)\.hook\b")
_SECONDS = 10  # the tool waits for at most; it takes some tenths
_AT_CODEX_END = 3  # the most that Codex gives a hook when a session ends; more, and it warns at every start
EVENTS = ("PreCompact", "PostCompact", "Stop", "SessionEnd")
_INDENT = re.compile(r'^\{\s*\n([ \t]+)"')


class Refused(Exception):
    """It cannot be done; the words say why and what to do."""


# --- where to send ----------------------------------------------------------------------------------------------------


def needed_target(url: str | None = None, key: str | None = None) -> tuple[str, str]:
    """The server's address and key: as given, from the environment, or as saved. Raises Refused without."""
    saved = _saved()
    url = url or os.environ.get("OBSERVATORY_URL") or saved.get("url", "")
    key = key or os.environ.get("OBSERVATORY_KEY") or saved.get("key", "")
    try:
        where = url_and_key(url, key)
    except ValueError as error:
        raise Refused(str(error)) from None
    if where is None:
        raise Refused("Where to? Set OBSERVATORY_URL and OBSERVATORY_KEY, or `install` with --url and --key.")
    return where


def save_target(url: str | None, key: str | None) -> None:
    """Keep them, or the environment's, for the hook: the tool may be started from anywhere. Raises Refused.

    The file is only its owner's to read; the settings of tools are often committed."""
    url, key = needed_target(url, key)
    values = {"url": url, "key": key}
    folder = config_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "hook.json", json.dumps(values, indent=2) + "\n", mode=0o600)


def _saved() -> dict[str, str]:
    try:
        saved = json.loads((config_folder() / "hook.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in saved.items() if isinstance(value, str)} if isinstance(saved, dict) else {}


# --- the settings -----------------------------------------------------------------------------------------------------


def installed_in(settings: Path | None, *, codex: bool) -> Path:
    """The settings file, its links followed; the user's own unless another is named."""
    if settings is None:
        variable, folder, name = ("CODEX_HOME", ".codex", "hooks.json") if codex else _CLAUDE
        settings = Path(os.environ.get(variable) or Path.home() / folder) / name
    return settings.expanduser().resolve()


_CLAUDE = ("CLAUDE_CONFIG_DIR", ".claude", "settings.json")


def install(file: Path, command: list[str], *, codex: bool) -> bool:
    """Whether anything had to be changed. The file as it was is kept beside it. Raises Refused."""
    text, settings = _read(file)
    wanted = shlex.join(command)
    hooks = _without_ours(_hooks_of(file, settings))
    for event in EVENTS:
        seconds = _AT_CODEX_END if codex and event == "SessionEnd" else _SECONDS
        entry = {"type": "command", "command": wanted, "timeout": seconds}
        group = {"hooks": [entry]} if codex else {"matcher": "", "hooks": [entry]}
        hooks[event] = [*hooks.get(event, []), group]
    return _save(file, text, {**settings, "hooks": hooks})


def uninstall(file: Path) -> bool:
    """Whether anything had to be changed. Raises Refused."""
    text, settings = _read(file)
    if "hooks" not in settings:
        return False
    hooks = _without_ours(_hooks_of(file, settings))
    rest = {name: value for name, value in settings.items() if name != "hooks"}
    return _save(file, text, {**settings, "hooks": hooks} if hooks or not settings["hooks"] else rest)


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    if not file.exists():
        return "", {}
    text = file.read_text(encoding="utf-8")
    try:
        settings = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise Refused(f"{file} is no JSON ({error}) and stays as it is. Mend it, or add the hook by hand.") from None
    if not isinstance(settings, dict):
        raise Refused(f"{file} is no JSON object and stays as it is.")
    return text, settings


def _hooks_of(file: Path, settings: dict[str, Any]) -> dict[str, list[Any]]:
    hooks = settings.get("hooks", {})
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise Refused(f'"hooks" in {file} is not as the tool has it and stays as it is.')
    return hooks


def _without_ours(hooks: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """All hooks but ours; what is empty only because of us goes too."""
    cleaned = {event: [rest for group in groups if (rest := _group(group))] for event, groups in hooks.items()}
    return {event: groups for event, groups in cleaned.items() if groups or not hooks[event]}


def _group(group: Any) -> Any:
    """The group without our entries, itself where there are none; None where nothing else is in it."""
    entries = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(entries, list) or not any(_is_ours(entry) for entry in entries):
        return group
    others = [entry for entry in entries if not _is_ours(entry)]
    return {**group, "hooks": others} if others else None


def _is_ours(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(_MARK.search(str(entry.get("command", ""))))


def _save(file: Path, text: str, settings: dict[str, Any]) -> bool:
    if text and json.loads(text or "{}") == settings:
        return False
    if text:
        _write(file.with_name(f"{file.name}.before-observatory"), text, mode=file.stat().st_mode & 0o777)
    indent = found[1] if (found := _INDENT.search(text)) else "  "
    file.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps(settings, indent=indent, ensure_ascii=False) + "\n"
    _write(file, written, mode=file.stat().st_mode & 0o777 if text else 0o600)
    return True


def _write(file: Path, text: str, *, mode: int) -> None:
    """Whole or not at all."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as new:
        new.write(text)
    unfinished.chmod(mode)
    unfinished.replace(file)
