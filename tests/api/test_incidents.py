from datetime import timedelta

import pytest

from conversations.alerts.incidents import record_signals
from conversations.models import Activity, Incident
from tests.alerts.telling import AT, create_channel, create_incident, create_rule, signal
from tests.api.reading import Reader


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


def test_list_is_newest_first_and_filtered(reader, acme, globex):
    rule = create_rule(acme, name="Forgetful")
    old = create_incident(acme, rule=rule, group="a", severity="critical")
    new = create_incident(acme, group="b", opened_at=AT + timedelta(hours=1))
    create_incident(globex)

    def ids(query):
        return [each["id"] for each in reader.walk(f"/incidents?{query}")]

    assert ids("limit=1") == [new.pk, old.pk]
    assert ids("severity=critical") == ids(f"rule={rule.pk}") == ids("until=2026-11-20T09:30:00Z") == [old.pk]
    assert ids("state=resolved") == []
    assert reader.get("/incidents?state=gone").status_code == 422


def test_one_says_what_happened_and_who_is_told(reader, acme):
    rule = create_rule(acme, [create_channel(acme, name="bell")], name="Forgetful")
    (incident,) = record_signals(workspace=acme, rule=rule, signals=[signal("coder", value=7, threshold=5)], at=AT)

    body = reader.json(f"/incidents/{incident.pk}")

    assert (body["title"], body["group"], body["value"], body["threshold"]) == ("Forgetful", "coder", 7, 5)
    assert body["url"] == f"/w/acme/alerts/incidents/{incident.pk}/"
    assert [event["kind"] for event in body["timeline"]] == ["opened"]
    assert [(each["channel"], each["state"]) for each in body["deliveries"]] == [("bell", "waiting")]


@pytest.mark.parametrize(("action", "state"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_a_key_that_may_manage_handles_it(client, acme, action, state):
    incident, manager = create_incident(acme), Reader(client, acme, ("manage",))
    path = f"/api/v1/incidents/{incident.pk}/{action}"

    answers = [client.post(path, headers=manager.headers) for _ in range(2)]

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, state)] * 2
    assert incident.events.get().actor.startswith("tests (")
    assert Activity.objects.get().api_key is not None


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_nobody_else_handles_it(client, acme, globex, action):
    incident = create_incident(acme)
    path = f"/api/v1/incidents/{incident.pk}/{action}"

    assert client.post(path).status_code == 401
    assert client.post(path, headers=Reader(client, acme).headers).status_code == 403
    assert client.post(path, headers=Reader(client, globex, ("manage",)).headers).status_code == 404
    assert Incident.objects.get().state == "open"


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(reader, acme, rows, django_assert_num_queries):
    reader.get("/incidents")  # notes when the key was used
    for _ in range(rows):
        create_incident(acme)

    with django_assert_num_queries(2):  # the key, the rows
        assert len(reader.json("/incidents")["results"]) == rows
