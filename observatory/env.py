"""Read settings from the environment; `NAME_FILE` names a file that holds the value (for secrets)."""

import os
from ipaddress import ip_network
from pathlib import Path


class BadSetting(Exception):
    """A setting cannot be read; the message names it and what it wants."""


def env_str(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names, or the default."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE names {path}, which cannot be read: {error.strerror}") from error
    return os.environ.get(name, default)


def env_int(name: str, default: int) -> int:
    """A whole number."""
    value = env_str(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise BadSetting(f"{name} must be a whole number, not {value!r}") from error


def env_float(name: str, default: float) -> float:
    """A number, not negative."""
    value = env_str(name)
    try:
        number = float(value) if value else default
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise BadSetting(f"{name} must be a number, not {value!r}")
    return number


def env_bool(name: str, *, default: bool) -> bool:
    """1/0, true/false, yes/no, on/off."""
    value = env_str(name).lower()
    if not value:
        return default
    if value not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise BadSetting(f"{name} must be true or false, not {value!r}")
    return value in {"1", "true", "yes", "on"}


def env_networks(name: str) -> list[str]:
    """IP networks separated by commas, as in 10.1.0.0/16, ::1/128."""
    networks = env_list(name)
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise BadSetting(f"{name}: {error}") from None
    return networks


def env_list(name: str, default: str = "") -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in env_str(name, default).split(",") if word.strip()]
