import fcntl
import subprocess
import sys

import pytest

from tests.ops.server import ROOT, Server, copy_data_dir, environment

MIGRATE = """
import django
from django.conf import settings
from django.core.management import call_command
from observatory.embedded import start

start(settings.DATA_DIR)
django.setup()
call_command("migrate", verbosity=0)
from conversations.ops.preparation import collect_static
collect_static()
"""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory, worker_id):
    """A data directory before its first run, but for what takes 10 s of it: tables and compressed static files. Made by
    the first of the suite's processes that wants it, for all."""
    of_all = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        of_all = of_all.parent
    made = of_all / "migrated"
    with (of_all / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _migrate(of_all / "migrating" / "data").parent.rename(made)
    return made / "data"


def _migrate(data_dir):
    data_dir.mkdir(parents=True)
    env = {**environment(data_dir), "DJANGO_SETTINGS_MODULE": "observatory.settings"}
    subprocess.run([sys.executable, "-c", MIGRATE], cwd=ROOT, env=env, check=True)
    return data_dir


@pytest.fixture
def serve(tmp_path, migrated):
    """Start a server on a data directory of the test's own; stopped whatever becomes of the test."""
    servers = []

    def start(*options, data_dir=tmp_path / "data", **more):
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not data_dir.exists() and "DATABASE_URL" not in more:
            copy_data_dir(migrated, data_dir)
        servers.append(Server(data_dir, *options, **more))
        return servers[-1].wait_until_ready()

    yield start
    for server in servers:
        server.stop()
