"""The same server on Debian's Postgres 15 and on other brokers; each is started for its test where there is one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tests.ops.server import free_port

REDIS = shutil.which("redis-server")
POSTGRES = Path("/usr/lib/postgresql/15/bin")
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
RABBITMQ_SECONDS = 60


def wait_for_port(port, seconds=20):
    pause = threading.Event()
    for _ in range(seconds * 10):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            pause.wait(0.1)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")


@pytest.fixture
def redis(tmp_path):
    """The address of a Redis that keeps nothing on disk."""
    pytest.importorskip("redis", reason="the extra 'redis' is not installed")
    if REDIS is None:
        pytest.skip("no redis-server is installed")
    port = free_port()
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture
def rabbitmq(tmp_path):
    """The address of a RabbitMQ of its own."""
    if not RABBITMQ.exists():
        pytest.skip("no rabbitmq-server is installed")
    port, distribution = free_port(), free_port()
    env = os.environ | {
        "HOME": str(tmp_path), "RABBITMQ_MNESIA_BASE": str(tmp_path), "RABBITMQ_LOG_BASE": str(tmp_path),
        "RABBITMQ_NODENAME": f"observatory{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_PORT": str(free_port()),  # Erlang leaves a daemon behind: one of our own, to be ended
    }  # fmt: skip
    command = [str(RABBITMQ)]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        wait_for_port(port, RABBITMQ_SECONDS)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        subprocess.run(["epmd", "-kill"], env=env, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def postgres_15():
    """The address of a Postgres 15 without TLS, on a socket of its own."""
    if not (POSTGRES / "postgres").exists() or os.geteuid():
        pytest.skip("no Postgres 15 of Debian's is installed, or this is not root")
    account = pwd.getpwnam("postgres")
    with tempfile.TemporaryDirectory(prefix="pg15-") as folder:  # a socket's path must be short
        os.chown(folder, account.pw_uid, account.pw_gid)
        who = {"user": account.pw_uid, "group": account.pw_gid, "cwd": folder, "stdout": subprocess.DEVNULL}
        subprocess.run([POSTGRES / "initdb", "-D", f"{folder}/data", "--auth=trust", "-E", "UTF8"], check=True, **who)
        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        control = [POSTGRES / "pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **who)
        yield f"postgres://postgres@/postgres?host={folder}"
        subprocess.run([*control, "-m", "fast", "stop"], check=True, **who)


def check_it_works(server):
    key = server.wait_for(r"API key: +(obs_\S+)")
    event = {"type": "message", "id": "m", "conversation": "c", "role": "user", "content": "Never on Friday."}
    _, answer = server.post("/api/v1/events", {"events": [event]}, key)

    assert server.wait_until_digested(answer["batch"]["id"], key)["accepted"] == 1
    status, body = server.get("/health/ready")
    assert (status, body["status"]) == (200, "ready"), body


def has_queue_in_database(server):
    ask = "c.execute(\"SELECT to_regnamespace('pgmq')\"); print(c.fetchone()[0])"
    return (
        server.manage("shell", "-v0", "-c", f"from django.db import connection; c = connection.cursor(); {ask}")
        == "pgmq"
    )


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_what_is_sent_is_digested_through_another_broker(serve, request, broker):
    server = serve(CELERY_BROKER_URL=request.getfixturevalue(broker))

    check_it_works(server)

    assert not has_queue_in_database(server)
    assert server.stop() == 0


def test_up_uses_a_postgres_that_is_there(serve, postgres_15):
    server = serve(DATABASE_URL=postgres_15)

    check_it_works(server)

    assert has_queue_in_database(server)
    assert "started process=postgres" not in "\n".join(server.output)
    assert server.stop() == 0
    assert not (server.data_dir / "postgres").exists()
