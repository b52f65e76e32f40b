"""Where to send to: from arguments, or the environment's OBSERVATORY_URL, OBSERVATORY_KEY and OBSERVATORY_SPILL_DIR."""

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

_OFF = "off"  # as OBSERVATORY_SPILL_DIR: nothing is written to disk


def url_and_key(url: str | None, key: str | None) -> tuple[str, str] | None:
    """None where one of them is missing. Raises ValueError for an address that is none."""
    url = (url if url is not None else os.environ.get("OBSERVATORY_URL", "")).strip().rstrip("/")
    key = (key if key is not None else os.environ.get("OBSERVATORY_KEY", "")).strip()
    if not url or not key:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{url!r} is no address of an Observatory: write it as https://observatory.example.org.")
    return url, key


def spill_folder(url: str, key: str) -> Path | None:
    """A folder for this server and key: what was recorded for one workspace is never sent to another."""
    base = os.environ.get("OBSERVATORY_SPILL_DIR", "").strip()
    if base == _OFF:
        return None
    try:
        return (Path(base) if base else cache_folder()) / _named(url, key)
    except RuntimeError:  # no home
        return None


def cache_folder(*where: str) -> Path:
    """What may be deleted: for this program, or for one server and key. Raises RuntimeError where there is no home."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "observatory-recorder"
    return root / _named(*where) if where else root


def config_folder() -> Path:
    """What people have set. Raises RuntimeError where there is no home."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "observatory-recorder"


def _named(*where: str) -> str:
    return hashlib.sha256("\n".join(where).encode()).hexdigest()[:16]
