"""`manage.py up` as a whole: real processes, a real database, real signals."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.ops.server import ROOT, Server, copy_data_dir, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

CHILDREN = ["web", "digester", "worker", "scheduler", "postgres"]


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A data directory after its first run, and what that run printed."""
    server = Server(tmp_path_factory.mktemp("home") / "data").wait_until_ready()
    server.wait_for(r"API key: +(obs_\S+)")
    everyone = server.everyone()
    code = server.stop()
    wait_until_gone(everyone)
    for other in ("orphaned", "killed"):
        copy_data_dir(server.data_dir, server.data_dir.parent / other)
    return server, code


@pytest.fixture(scope="module")
def key(first_run):
    server, _ = first_run
    return server.wait_for(r"API key: +(obs_\S+)")


@pytest.fixture(scope="module")
def running(first_run):
    server = Server(first_run[0].data_dir).wait_until_ready()
    yield server
    server.stop()


def message(number):
    return {"type": "message", "id": f"m{number}", "conversation": "c1", "role": "user", "content": f"Rule {number}."}


def test_up_prints_link_and_key_on_the_first_run_only(first_run, running):
    text = "\n".join(first_run[0].output)
    running.wait_for("sign_in_link owner@localhost")

    assert text.count("/sign-in/") == 1
    assert text.count("obs_") == 1
    assert "obs_" not in "\n".join(running.output)


def test_up_stops_cleanly_on_sigterm(first_run):
    server, code = first_run

    assert code == 0
    assert server.output[-1] == "Stopped."
    assert "database system is shut down" in "\n".join(server.output)


def test_up_is_ready_when_it_says_so(running):
    status, body = running.get("/health/ready")

    assert (status, body["status"]) == (200, "ready")
    assert all(check["ok"] for check in body["checks"].values())


def test_up_prints_a_key_that_works(running, key):
    status, body = running.post("/api/v1/events?wait=1", {"events": [message(0)]}, key)

    assert (status, body["results"][0]["status"]) == (207, "accepted")


def test_second_up_on_a_data_directory_says_so(running):
    second = Server(running.data_dir)

    assert second.process.wait(60) == 1
    second.stop()
    assert f"runs on {running.data_dir} already (process {running.process.pid})" in second.output[-1]


def test_taken_port_is_said_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(tmp_path / "data", port=taken.getsockname()[1])
        code = server.process.wait(60)
    server.stop()

    assert code == 1
    assert "cannot be used (Address already in use)" in server.output[-1]
    assert not (tmp_path / "data/postgres").exists()


@pytest.mark.parametrize("name", CHILDREN)
def test_killed_child_is_started_again(running, key, name):
    killed = running.pid_of(name)
    times = sum(f"started process={name} " in line for line in running.output)
    os.kill(killed, signal.SIGKILL)

    running.wait_for(f"started process={name} pid=", times=times + 1)
    _wait_until_it_works(running, key)

    assert running.pid_of(name) != killed


def _wait_until_it_works(server, key):
    """An event sent is digested by the digester, not by the request: all of it works."""
    number = len(server.output)

    def accepted():
        status, body = server.post("/api/v1/events", {"events": [message(f"-{number}")]}, key)
        return body if status == 207 else None

    server.wait_until_digested(server.wait_until(accepted)["batch"]["id"], key)


def test_children_do_not_outlive_a_killed_supervisor(first_run):
    server = Server(first_run[0].data_dir.parent / "orphaned").wait_until_ready()
    everyone = server.everyone()

    assert len(everyone) > len(CHILDREN)

    server.process.kill()

    wait_until_gone(everyone)
    server.stop()


def test_nothing_acknowledged_is_lost_when_everything_is_killed(first_run, key):
    """The promise: one second after a 2xx, or right after it, every process may be killed."""
    data_dir = first_run[0].data_dir.parent / "killed"
    server = Server(data_dir).wait_until_ready()
    for number in range(20):
        status, _ = server.post("/api/v1/events", {"events": [message(f"{number}-{i}") for i in range(100)]}, key)
        assert status == 207
    everyone = server.everyone()
    for pid in everyone:
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(everyone)
    server.stop()

    server = Server(data_dir).wait_until_ready()
    _wait_until_it_works(server, key)
    rows = server.manage("shell", "-v0", "-c", "from conversations.models import *; print(Message.objects.count())")
    server.stop()

    assert int(rows.split()[-1]) == 2001


def test_command_without_a_database_says_how_to_start_it(tmp_path):
    env = {**os.environ, "OBSERVATORY_DATA_DIR": str(tmp_path)}
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE"):
        env.pop(name, None)
    command = [sys.executable, "manage.py", "create_api_key", "--name", "x"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "manage.py up" in done.stderr
    assert "Traceback" not in done.stderr
