"""A real `manage.py up` in a process of its own, for the tests of it."""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 90


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def environment(data_dir):
    """Of a program that works on `data_dir` and knows nothing of the tests' own database."""
    of_tests = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if name not in of_tests}
    return env | {"OBSERVATORY_DATA_DIR": str(data_dir), "HOME": str(data_dir.parent)}


def copy_data_dir(source, target):
    """What a stopped server left, whoever owns its files."""
    subprocess.run(["cp", "-a", source, target], check=True)


class Server:
    """Started and ready when made; `output` holds every line it has printed so far."""

    def __init__(self, data_dir, *options, port=None, stdin=subprocess.DEVNULL, **env):
        self.data_dir, self.port, self.output = data_dir, port or free_port(), []
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(data_dir) | env
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)
        self._partial = ""

    def manage(self, *command):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    # --- what it says -------------------------------------------------------------------------------------------------

    def wait_for(self, pattern, *, times=1):
        """The first match once its output has so many; reads what it prints meanwhile."""
        while len(found := re.findall(pattern, "\n".join(self.output))) < times:
            assert self._selector.select(DEADLINE_SECONDS), f"no {pattern} in:\n" + "\n".join(self.output)
            if not self._read():
                raise AssertionError(f"it ended without {pattern}:\n" + "\n".join(self.output))
        return found[times - 1]

    def wait_until_ready(self):
        self.wait_for("Observatory is ready at")
        return self

    def _read(self):
        text = self.process.stdout.read()
        if text:
            *lines, self._partial = (self._partial + text.decode()).split("\n")
            self.output += lines
        return text

    # --- its processes ------------------------------------------------------------------------------------------------

    def pid_of(self, name):
        """Of the child that was started last under this name."""
        while self._read():
            pass
        return int(re.findall(rf"started process={name} pid=(\d+)", "\n".join(self.output))[-1])

    def everyone(self):
        """The supervisor and all below it."""
        found, look_at = [], [self.process.pid]
        while look_at:
            pid = look_at.pop()
            found.append(pid)
            look_at += [int(child) for task in Path(f"/proc/{pid}/task").glob("*") for child in _children(task)]
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_SECONDS)
        if not self.process.stdout.closed:
            while self._read():
                pass
            self._selector.close()
            self.process.stdout.close()
        return self.process.returncode

    # --- what it answers ----------------------------------------------------------------------------------------------

    def get(self, path, key=None):
        """(status, JSON)."""
        return _ask(urllib.request.Request(self.url + path, headers=_headers(key)))

    def post(self, path, body, key):
        return _ask(urllib.request.Request(self.url + path, json.dumps(body).encode(), _headers(key)))

    def wait_until(self, done):
        """What `done` returned once it is true; asked every quarter of a second."""
        pause = threading.Event()
        for _ in range(DEADLINE_SECONDS * 4):
            while self._read():
                pass
            if found := done():
                return found
            pause.wait(0.25)
        raise AssertionError("it never happened:\n" + "\n".join(self.output))

    def wait_until_digested(self, batch_id, key):
        """The batch, as the API tells it once its rows are made."""

        def digested():
            status, batch = self.get(f"/api/v1/batches/{batch_id}", key)
            return batch if status == 200 and batch["state"] == "digested" else None

        return self.wait_until(digested)


def _children(task):
    return (task / "children").read_text().split()


def _headers(key):
    headers = {"Content-Type": "application/json"}
    return headers | {"Authorization": f"Bearer {key}"} if key else headers


def _ask(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def wait_until_gone(pids):
    """Wait on the processes themselves: a pidfd can be read when its process has ended."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            gone = selector.select(DEADLINE_SECONDS)
        os.close(fd)
        assert gone, f"process {pid} is still there"
