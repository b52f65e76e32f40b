import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from conversations.models import Membership
from tests.api.reading import Reader
from tests.factories import START, create_agent, create_compaction, create_conversation, create_message, create_request


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


def ids(results):
    return [row["external_id"] for row in results]


def test_conversation_is_told_whole(reader, acme):
    row = create_conversation(
        acme,
        agent=create_agent(acme, "coder", "2.1"),
        external_id="abc",
        title="Fix it",
        cwd="/srv",
        context_window=200_000,
    )
    create_message(row)
    create_request(row, 1234)

    assert reader.json(f"/conversations/{row.pk}") == {
        "id": row.pk,
        "external_id": "abc",
        "source": "events",
        "title": "Fix it",
        "tags": [],
        "url": f"/api/v1/conversations/{row.pk}",
        "html_url": f"/w/acme/conversations/{row.pk}/",
        "agent": {"id": row.agent_id, "name": "coder", "version": "2.1"},
        "parent_external_id": "",
        "cwd": "/srv",
        "context_window": 200_000,
        "complete": True,
        "incomplete_reason": "",
        "started_at": "2026-11-20T09:00:00Z",
        "last_at": row.last_at.isoformat().replace("+00:00", "Z"),
        "models": ["claude-sonnet-5-5"],
        "message_count": 1,
        "request_count": 1,
        "compaction_count": 0,
        "tokens_now": 1234,
        "tokens_peak": 1234,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["third", "second", "first"]),
        ("agent=coder", ["second", "first"]),
        ("agent=coder&agent_version=2", ["second"]),
        ("agent=nobody", []),
        ("source=codex", ["third"]),
        ("model=claude-sonnet-5-5", ["first"]),
        ("compacted=true", ["second"]),
        ("compacted=false", ["third", "first"]),
        ("since=2026-11-20T09:10:00Z", ["third", "second"]),
        ("since=2026-11-20T10:10:00%2B01:00", ["third", "second"]),
        ("since=2026-11-20T10:10:00+01:00", ["third", "second"]),
        ("until=2026-11-20T09:10:00Z", ["first"]),
        ("since=2026-11-21", []),
        ("external_id=second", ["second"]),
        ("parent=first", ["third"]),
        ("q=invoice", ["first"]),
        ("q=INVO mig", ["first"]),
        ("q='", ["third", "second", "first"]),
        ("q=nothing", []),
    ],
)
def test_conversations_are_filtered(reader, acme, query, expected):
    first = create_conversation(
        acme, external_id="first", agent=create_agent(acme, "coder", "1"), title="Invoice migration", last_at=START
    )
    second = create_conversation(
        acme, external_id="second", agent=create_agent(acme, "coder", "2"), last_at=START + timedelta(minutes=10)
    )
    create_conversation(
        acme, external_id="third", source="codex", parent_external_id="first", last_at=START + timedelta(minutes=20)
    )
    create_request(first, 100)
    create_compaction(second)

    assert ids(reader.json(f"/conversations?{query}")["results"]) == expected


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("agnet=coder", "agnet"),
        ("compacted=perhaps", "compacted"),
        ("since=yesterday", "since"),
        ("since=2026-13-01", "since"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=²", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=cG9zaXRpb246MTox", "cursor"),  # position:1:1, of another list
        ("q=%00", "q"),
        ("agent=" + "x" * 601, "agent"),
    ],
)
def test_parameters_that_cannot_be_taken_are_refused(reader, query, at):
    response = reader.get(f"/conversations?{query}")

    assert response.status_code == 422
    assert response.json()["error"]["at"] == at
    assert response.json()["error"]["mend"]


def test_walk_visits_every_row_once_while_rows_come_in(reader, acme):
    expected = [create_conversation(acme, last_at=START).external_id for _ in range(7)]

    results = reader.walk(
        "/conversations?limit=2", lambda: create_conversation(acme, last_at=START + timedelta(hours=1))
    )

    assert ids(results) == expected[::-1]


@pytest.mark.parametrize("rows", [1, 3])
def test_conversations_take_the_same_queries_for_any_number_of_rows(reader, acme, rows, django_assert_num_queries):
    for number in range(rows):
        create_conversation(acme, agent=f"agent-{number}")
    reader.json("/agents")  # notes the key's use, once a minute

    with django_assert_num_queries(2):  # the key, the page
        assert len(reader.json("/conversations")["results"]) == rows


def test_unchanged_answer_is_not_sent_again(reader, acme):
    row = create_conversation(acme)
    etag = reader.get("/conversations")["ETag"]

    assert reader.get("/conversations", **{"If-None-Match": etag}).status_code == 304

    create_message(row)

    assert reader.get("/conversations", **{"If-None-Match": etag}).status_code == 200


def test_answers_are_kept_by_nobody_else(reader, acme):
    response = reader.get("/conversations")

    assert response["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))


# --- who may read -----------------------------------------------------------------------------------------------------


def addresses(row, message, compaction):
    return [
        f"/conversations/{row.pk}",
        f"/conversations/{row.pk}/messages",
        f"/conversations/{row.pk}/messages?format=jsonl",
        f"/conversations/{row.pk}/timeline",
        f"/conversations/{row.pk}/timeline?points=10",
        f"/conversations/{row.pk}/compactions",
        f"/compactions/{compaction.pk}",
        f"/compactions/{compaction.pk}/dropped",
        f"/compactions/{compaction.pk}/kept",
        f"/compactions/{compaction.pk}/kept?format=csv",
        f"/messages/{message.pk}",
    ]


@pytest.fixture
def filled(acme):
    row = create_conversation(acme, agent="coder")
    message = create_message(row)
    return row, message, create_compaction(row, dropped=[message])


def test_outsiders_find_nothing(client, filled, globex, charlie):
    outsider = Reader(client, globex)

    for path in addresses(*filled):
        assert outsider.get(path).status_code == 404, path
        assert charlie.get(f"/api/v1{path}").status_code == 404, path
        assert charlie.get(f"/api/v1{path}{'&' if '?' in path else '?'}workspace=acme").status_code == 404, path
    for path in ("/conversations", "/compactions", "/agents"):
        assert outsider.json(path)["results"] == []
        assert outsider.get(f"{path}?workspace=acme").status_code == 404
        assert outsider.text(f"{path}?format=jsonl") == ""


def test_members_read_what_keys_read(reader, filled, victor):
    for path in [*addresses(*filled), "/conversations", "/compactions", "/agents"]:
        mine, theirs = victor.get(f"/api/v1{path}"), reader.get(path)

        assert mine.status_code == 200, path
        assert mine.getvalue() == theirs.getvalue(), path


def test_members_of_two_workspaces_say_which(alice, globex, filled):
    Membership.objects.create(workspace=globex, user=alice.user, role="viewer")

    assert alice.get("/api/v1/conversations").status_code == 422
    assert len(alice.get("/api/v1/conversations?workspace=acme").json()["results"]) == 1
    assert alice.get("/api/v1/conversations?workspace=globex").json()["results"] == []


def test_strangers_are_asked_for_a_key(db):
    response = Client().get("/api/v1/conversations")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_key_needs_the_scope(client, acme):
    assert Reader(client, acme, scopes=("ingest",)).get("/conversations").status_code == 403


def test_nothing_is_written_here(alice):
    assert alice.post("/api/v1/conversations").status_code in (403, 405)


# --- exports ----------------------------------------------------------------------------------------------------------


def test_exports_hold_every_row(reader, acme):
    for number in range(5):
        create_conversation(acme, agent="coder" if number else None, title=f'Line\nbreak, "quotes" and ü {number}')
    rows = reader.walk("/conversations?limit=2")

    lines = reader.text("/conversations?format=jsonl&limit=2").splitlines()
    table = list(csv.DictReader(io.StringIO(reader.text("/conversations?format=csv"), newline="")))

    assert [json.loads(line) for line in lines] == rows
    assert [line["title"] for line in table] == [row["title"] for row in rows]
    assert [line["agent.name"] for line in table] == ["coder", "coder", "coder", "coder", ""]
    assert [json.loads(line["models"]) for line in table] == [row["models"] for row in rows]
    assert [line["complete"] for line in table] == ["true"] * 5


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_csv_holds_no_formulas(reader, acme, title):
    create_conversation(acme, title=title)

    [line] = csv.DictReader(io.StringIO(reader.text("/conversations?format=csv"), newline=""))

    assert line["title"] == f"'{title}"


def test_export_is_filtered_and_named(reader, acme):
    create_conversation(acme, source="codex", external_id="wanted")
    create_conversation(acme)

    response = reader.get("/conversations?format=jsonl&source=codex")

    assert response["Content-Disposition"] == 'attachment; filename="conversations.jsonl"'
    assert [json.loads(line)["external_id"] for line in b"".join(response.streaming_content).splitlines()] == ["wanted"]


def test_export_of_nothing_has_a_header(reader):
    assert reader.text("/agents?format=csv") == "id,name,version\r\n"


def test_agents_are_listed_by_version(reader, acme):
    create_agent(acme, "coder", "1")
    create_agent(acme, "coder", "2")
    create_agent(acme, "other", "2")

    results = reader.json("/agents?name=coder")["results"]

    assert [(row["name"], row["version"]) for row in results] == [("coder", "1"), ("coder", "2")]
