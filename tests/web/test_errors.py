import psycopg
import pytest
from django.db import OperationalError
from django.test import Client

from conversations.web import errors


def test_unknown_page_is_told_in_our_own_looks(alice):
    response = alice.get("/w/acme/nothing/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_forbidden_page_says_who_may(victor):
    response = victor.get("/w/acme/settings/activity/")

    assert response.status_code == 403
    assert "Only an admin of this workspace may do this." in response.content.decode()


def test_server_error_page_asks_the_database_nothing(rf):
    """Not even for the session: no database is allowed in this test."""
    response = errors.server_error(rf.get("/"))

    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_old_form_is_told_what_to_do(db):
    response = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})

    assert response.status_code == 403
    assert "Load the page again" in response.content.decode()


@pytest.mark.parametrize("status", errors.SENTENCES)
def test_every_error_says_what_to_do(status):
    title, advice = errors.SENTENCES[status]

    assert title
    assert advice.endswith(".")


@pytest.mark.parametrize(
    ("cause", "status", "says"),
    [
        (psycopg.OperationalError("connection refused"), 503, "The database is away or full"),
        (psycopg.errors.DiskFull("no space left"), 503, "The database is away or full"),
        (psycopg.errors.AdminShutdown("terminating"), 503, "The database is away or full"),
        (psycopg.errors.QueryCanceled("statement timeout"), 500, "Something broke on our side"),
    ],
)
def test_database_that_is_away_is_told_as_such(rf, cause, status, says):
    try:
        raise OperationalError(str(cause)) from cause  # noqa: TRY301 -- the page asks for the error that is being handled
    except OperationalError:
        response = errors.server_error(rf.get("/"))

    assert response.status_code == status
    assert says in response.content.decode()
