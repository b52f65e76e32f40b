"""Addresses that lead nowhere and views that break, as people and as programs see them."""

import pytest
from django.db import OperationalError

from conversations.api import batches


def test_programs_are_told_in_json_that_an_address_leads_nowhere(client):
    answer = client.get("/api/v1/compactions/")  # one slash too many
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["error"] == {
        "code": "not_found",
        "message": "There is nothing at this address.",
        "at": "",
        "mend": "/api/v1/docs/ lists the addresses.",
    }


def test_people_are_told_on_a_page_that_an_address_leads_nowhere(client, db):
    answer = client.get("/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("error", [ZeroDivisionError, OperationalError])
def test_programs_are_told_in_json_that_something_broke(client, db, acme, monkeypatch, error):
    def breaks(*_args, **_more):
        raise error

    client.raise_request_exception = False
    monkeypatch.setattr(batches.BatchListView, "dispatch", breaks)
    answer = client.get("/api/v1/batches")
    assert answer.status_code == (500 if error is ZeroDivisionError else 503)
    assert answer.json()["error"]["code"] == "server_error"
