"""The recorder as a wheel, made of the source that runs here: the same bytes for the same source."""

import hashlib
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from functools import cache
from io import BytesIO
from pathlib import Path

from conversations import recorder
from conversations.recorder.version import VERSION

PACKAGE = "observatory_recorder"
FILE = f"{PACKAGE}-{VERSION}-py3-none-any.whl"

_SOURCE = Path(recorder.__file__).parent
_INFO = f"{PACKAGE}-{VERSION}.dist-info"
_EPOCH = (2026, 1, 1, 0, 0, 0)  # a time of making would change the bytes, and so what caches know them by
_TAG = "Wheel-Version: 1.0\nGenerator: observatory\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@cache
def recorder_wheel() -> bytes:
    """The wheel's bytes, some 60 kB."""
    files = _files()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{_INFO}/RECORD"] = f"{record}{_INFO}/RECORD,,\n".encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            wheel.writestr(entry, content)
    return packed.getvalue()


def _files() -> dict[str, bytes]:
    """Names in the wheel and what is in them; what they say of the package stands in its pyproject.toml."""
    project = tomllib.loads((_SOURCE / "pyproject.toml").read_text())["project"]
    code = {f"{PACKAGE}/{path.name}": path.read_bytes() for path in sorted(_SOURCE.glob("*.py"))}
    scripts = "".join(f"{name} = {place}\n" for name, place in project["scripts"].items())
    about = {
        "METADATA": _metadata(project),
        "WHEEL": _TAG,
        "entry_points.txt": f"[console_scripts]\n{scripts}",
    }
    marker = {f"{PACKAGE}/py.typed": b""}
    return code | marker | {f"{_INFO}/{name}": text.encode() for name, text in about.items()}


def _metadata(project: dict[str, str]) -> str:
    head = {
        "Metadata-Version": "2.4",
        "Name": project["name"],
        "Version": VERSION,
        "Summary": project["description"],
        "License-Expression": project["license"],
        "Requires-Python": project["requires-python"],
        "Description-Content-Type": "text/markdown",
    }
    lines = "".join(f"{name}: {value}\n" for name, value in head.items())
    return f"{lines}\n{(_SOURCE / project['readme']).read_text()}"


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
