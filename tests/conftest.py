"""The cast: alice (owner of acme), bob (reviewer there), victor (viewer there), charlie (outsider, owner of globex)."""

import gc
import threading
from contextlib import suppress
from urllib.parse import urlencode
from urllib.request import urlopen

import hypothesis
import pytest
from django.db import connection

from conversations.models import Workspace
from tests.people.rows import sign_in_member

#: How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser):
    parser.addoption("--only-database", action="store_true", help="leave out what asks no database anything")


def pytest_collection_modifyitems(config, items):
    """What is true whatever the database need not be shown again on another one."""
    if not config.getoption("--only-database"):
        return
    fixtures = {"db", "transactional_db", "django_db_setup"}
    of_database = [bool(fixtures & set(item.fixturenames) or item.get_closest_marker("django_db")) for item in items]
    config.hook.pytest_deselected(items=[item for item, asks in zip(items, of_database, strict=True) if not asks])
    items[:] = [item for item, asks in zip(items, of_database, strict=True) if asks]


def pytest_collection_finish():
    """7,000 collected tests live as long as the process: going through them for garbage took 12 % of its CPU."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The server notices late that a program which a test killed is gone; until then its database cannot be dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def database_url(db):
    """The tests' own database, for the programs that a test starts; whichever way the settings name its host."""
    params = connection.get_connection_params()
    where = urlencode({"host": params["host"]} | ({"port": params["port"]} if params.get("port") else {}))
    return f"postgres://{params['user']}:{params.get('password') or ''}@/{params['dbname']}?{where}"


@pytest.fixture
def live_server(live_server, transactional_db):
    """The server, at rest before the tables are emptied: what a closed browser had asked for last is still answered."""
    yield live_server
    _rest(live_server)


def _rest(server, patience=20):
    """Wait for every connection to end. The server takes them in turn, so those before this request are all begun."""
    with suppress(OSError):
        urlopen(f"{server.url}/static/nothing", timeout=patience).close()
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(patience)
            assert not thread.is_alive(), "a connection to the server was left open"


@pytest.fixture
def acme(db):
    return Workspace.objects.create(slug="acme", name="Acme")


@pytest.fixture
def globex(db):
    return Workspace.objects.create(slug="globex", name="Globex")


@pytest.fixture
def alice(acme):
    return sign_in_member(acme, "alice", "owner")


@pytest.fixture
def bob(acme):
    return sign_in_member(acme, "bob", "reviewer")


@pytest.fixture
def victor(acme):
    return sign_in_member(acme, "victor", "viewer")


@pytest.fixture
def charlie(globex):
    return sign_in_member(globex, "charlie", "owner")
