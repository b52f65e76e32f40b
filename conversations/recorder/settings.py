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
        root = Path(base) if base else _cache() / "observatory-recorder"
    except RuntimeError:  # no home
        return None
    return root / hashlib.sha256(f"{url}\n{key}".encode()).hexdigest()[:16]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
