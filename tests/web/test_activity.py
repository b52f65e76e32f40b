import csv
import io
import json

import pytest

from conversations.models import Activity
from conversations.people.activity import record_activity, record_of_person
from tests.factories import create_api_key

PAGE = "/w/acme/settings/activity/"


def do(workspace, actor, action="price.set", **fields):
    return record_activity(workspace=workspace, actor=actor, action=action, target=workspace, **fields)


def shown(response):
    return [line.row.pk for line in response.context["lines"]]


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, bob, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        do(acme, bob.user)

    with django_assert_num_queries(6):
        response = alice.get(PAGE)

    assert len(response.context["lines"]) == rows


def test_newest_stands_first_with_what_changed(alice, acme):
    first, second = do(acme, alice.user, detail={"role": ["viewer", "admin"]}), do(acme, "purge")

    response = alice.get(PAGE)

    assert shown(response) == [second.pk, first.pk]
    assert "role: viewer → admin" in response.content.decode()
    assert "no account" in response.content.decode()


def test_list_goes_on_by_key(alice, acme):
    rows = [do(acme, alice.user).pk for _ in range(60)]

    first = alice.get(PAGE)
    do(acme, alice.user)
    second = alice.get(PAGE, {"after": first.context["page"].next})

    assert shown(first) + shown(second) == rows[::-1]


def test_list_is_filtered_by_person_and_action(alice, bob, acme):
    wanted = do(acme, bob.user, "price.deleted")
    do(acme, bob.user)
    do(acme, alice.user, "price.deleted")

    assert shown(alice.get(PAGE, {"person": bob.user.pk, "action": "price.deleted"})) == [wanted.pk]
    assert "Nothing of that kind" in alice.get(PAGE, {"action": "no.such"}).content.decode()
    assert len(shown(alice.get(PAGE, {"person": "x"}))) == 3


def test_other_workspaces_are_not_told_of(alice, charlie, acme, globex):
    do(globex, charlie.user)

    assert shown(alice.get(PAGE)) == []


def test_part_alone_is_sent_to_htmx(alice, acme):
    part = alice.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith('<section id="results"')


def test_export_is_whole_and_written_down(alice, acme):
    key, _ = create_api_key(acme)
    rows = [do(acme, key).pk for _ in range(3)]

    lines = b"".join(alice.get("/w/acme/settings/activity.jsonl").streaming_content).splitlines()
    table = b"".join(alice.get(f"/w/acme/settings/activity.csv?person={alice.user.pk}").streaming_content).decode()

    exported = Activity.objects.filter(action="activity.exported")
    told = [json.loads(line) for line in lines]
    assert [row["id"] for row in told[1:]] == rows[::-1]
    assert {row["api_key_id"] for row in told[1:]} == {key.pk}
    assert exported.count() == 2
    assert [row["action"] for row in csv.DictReader(io.StringIO(table))] == ["activity.exported"] * 2
    assert alice.get("/w/acme/settings/activity.pdf").status_code == 404


def test_what_concerns_a_person_stands_in_each_of_their_workspaces(alice, acme, globex):
    globex.memberships.create(user=alice.user, role="viewer")

    record_of_person(alice.user, "person.password_set", address="192.0.2.7")

    assert {(row.workspace, row.user, row.address) for row in Activity.objects.all()} == {
        (acme, alice.user, "192.0.2.7"),
        (globex, alice.user, "192.0.2.7"),
    }
