"""The cast: alice (owner of acme), bob (reviewer there), victor (viewer there), charlie (outsider, owner of globex)."""

from urllib.parse import urlencode

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
