import json

import pytest

from conversations.models import Activity, LedgerCheck, LedgerEntry
from tests.audit.ledger_rows import RULE, create_check, create_entry
from tests.factories import create_api_key, create_compaction, create_conversation, create_message

LEDGER = "/api/v1/ledger"


@pytest.fixture
def send(acme, client):
    """Ask with a key of all scopes that the ledger knows."""
    _, key = create_api_key(acme, ["read", "review"])

    def ask(method, path="", body=None, **params):
        return getattr(client, method)(
            LEDGER + path, json.dumps(body) if method != "get" else params, content_type="application/json",
            headers={"X-API-Key": key},
        )  # fmt: skip

    return ask


@pytest.fixture
def lost(acme):
    conversation = create_conversation(acme, agent="coder")
    return create_compaction(conversation, "Migrating.", dropped=[create_message(conversation, RULE)])


def test_entry_is_made_of_its_words_and_its_past_is_checked(send, acme, lost, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = send("post", body={"text": RULE, "agent_name": "coder"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["name"], told["kind"], told["anchors"]) == (RULE, "prohibition", ["ledger_v1"])
    again = send("get", f"/{told['id']}").json()
    assert (again["counts"]["forgotten"], again["last_loss"], again["past_done"]) == (1, lost.pk, 1)
    assert Activity.objects.get(action="ledger.made").api_key


def test_what_is_answered_may_be_sent_back(send, acme):
    entry = create_entry(acme)
    told = send("get", f"/{entry.pk}").json()
    assert send("put", f"/{entry.pk}", told).json() | {"changed_at": ""} == told | {"changed_at": ""}
    changed = send("put", f"/{entry.pk}", told | {"anchors": [], "name": "frozen"}).json()
    entry.refresh_from_db()
    assert (changed["anchors"], changed["name"], entry.revision) == ([], "frozen", 2)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, ""),
        ({"text": ""}, "text"),
        ({"text": RULE, "anchors": ["ledger_v2"]}, "anchors"),
        ({"text": RULE, "anchors": "ledger_v1"}, "anchors"),
        ({"text": RULE, "kind": "guess"}, "kind"),
        ({"text": RULE, "name": "taken"}, "name"),
        ({"text": RULE, "agent_version": "2"}, "agent_version"),
        ({"text": RULE, "colour": "red"}, ""),
        ([], ""),
        ({"text": "a\0b"}, "text"),
    ],
)
def test_entry_that_cannot_be_stored_is_told_where(send, acme, body, at):
    create_entry(acme, name="taken")
    answer = send("post", body=body)
    assert (answer.status_code, answer.json()["error"]["at"]) == (422, at)
    assert LedgerEntry.objects.count() == 1


def test_entry_is_retired_and_reinstated_twice_as_once(send, acme, lost, django_capture_on_commit_callbacks):
    entry = create_entry(acme)
    for _ in range(2):
        assert send("post", f"/{entry.pk}/retire").json()["retired_at"]
    assert [row["id"] for row in send("get", active="true").json()["results"]] == []
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            assert send("post", f"/{entry.pk}/reinstate").json()["retired_at"] is None
    assert LedgerCheck.objects.count() == 1
    actions = list(Activity.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["ledger.retired", "ledger.reinstated"]


def test_checks_of_an_entry_newest_compaction_first(send, acme, lost):
    first = create_entry(acme)
    later = create_compaction(lost.conversation)
    create_check(first, lost)
    create_check(first, later, "kept")
    create_check(create_entry(acme, "Answer in German."), lost, "not_in_context")

    checks = send("get", f"/{first.pk}/checks").json()["results"]
    assert [(each["compaction"], each["outcome"]) for each in checks] == [(later.pk, "kept"), (lost.pk, "forgotten")]
    only = send("get", f"/{first.pk}/checks", outcome="kept").json()["results"]
    assert [each["compaction"] for each in only] == [later.pk]


def test_checks_of_a_copy_are_those_of_its_original(alice, acme, lost):
    copy = create_compaction(create_conversation(acme), copy_of=lost)
    create_check(create_entry(acme), lost)
    told = [alice.get(f"/api/v1/compactions/{each.pk}/ledger").json()["results"] for each in (lost, copy)]
    assert told[0] == told[1]
    assert [check["outcome"] for check in told[0]] == ["forgotten"]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(send, acme, lost, rows, django_assert_num_queries):
    for number in range(rows):
        create_check(create_entry(acme, name=f"entry {number}"), lost)
    with django_assert_num_queries(4):
        assert len(send("get").json()["results"]) == rows


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_lists_are_exported(send, acme, lost, kind):
    entry = create_entry(acme)
    create_check(entry, lost)
    for path in ("", f"/{entry.pk}/checks"):
        text = b"".join(send("get", path, format=kind).streaming_content).decode()
        assert len(text.splitlines()) == (2 if kind == "csv" else 1)
        assert entry.name in text


def test_pages_go_on_where_the_one_before_ended(send, acme):
    made = [create_entry(acme, name=f"entry {number}").pk for number in range(3)]
    first = send("get", limit=2).json()
    cursor = first["next"].rpartition("cursor=")[2].partition("&")[0]
    rest = send("get", limit=2, cursor=cursor).json()
    assert [row["id"] for row in first["results"] + rest["results"]] == made
    assert rest["next"] is None
