"""What only one server may have at a time: a data directory and a port."""

import fcntl
import os
import socket
from pathlib import Path


class Taken(Exception):
    """Somebody else has it; the message says who, and what to do."""


def claim_directory(data_dir: Path) -> int:
    """Lock the data directory until this process and its children have ended. Raises Taken."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(lock, 32).decode().strip() or "unknown"
        os.close(lock)
        raise Taken(
            f"Observatory runs on {data_dir} already (process {pid}). "
            "Stop it first, or set OBSERVATORY_DATA_DIR to another folder."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def claim_port(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise Taken(f"{host}:{port} cannot be used ({error.strerror}). Choose another with --port.") from None
    return listener
