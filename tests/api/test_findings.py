import json

import pytest

from conversations.audit.services import audit_conversation
from conversations.models import CompactionAudit, Conversation, Finding, LifeLine
from tests.api.reading import Reader
from tests.audit.test_services import FINDING, PORT, RULE, conversation_with_losses
from tests.factories import create_compaction, create_conversation, create_message

SUMMARY = "The user is migrating the billing service. All 412 tests pass. " + PORT


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def compaction(acme):
    conversation = conversation_with_losses(acme, SUMMARY)
    audit_conversation(conversation)
    return conversation.compactions.get()


def create_finding(compaction, number, **fields):
    defaults = {
        "fact_id": f"f{number}", "kind": "value", "text": "A port.", "quote": "port 5433", "author": "user",
        "state": "open", "spans": [["gone", 0, 0, 9]], "first": 1, "last": 1, "importance": 0.5, "outcome": "forgotten",
        "probability": 0.1, "detector": "words", "reason": "It is not there.", "rank": 0.5,
    }  # fmt: skip
    return Finding.objects.create(
        workspace=compaction.workspace, conversation=compaction.conversation, compaction=compaction, number=number,
        **{**defaults, **fields},
    )  # fmt: skip


def test_findings_say_what_was_lost_and_where_it_was_said(reader, acme, compaction):
    page = reader.json(f"/compactions/{compaction.pk}/findings")

    assert [row["number"] for row in page["results"]] == list(range(1, len(page["results"]) + 1))
    [rule] = [row for row in page["results"] if "ledger_v1" in row["text"]]
    message = compaction.conversation.messages.get(external_id=rule["messages"][0])
    place = rule["places"][0]
    assert (rule["kind"], rule["outcome"]) == ("prohibition", "forgotten")
    assert (place["id"], place["url"]) == (message.pk, f"/api/v1/messages/{message.pk}")
    assert message.blocks[place["block"]]["text"][place["start"] : place["end"]] == rule["quote"]
    assert rule["html_url"] == f"/w/acme/compactions/{compaction.pk}/?fact={rule['number']}"
    kept = next(row for row in page["results"] if row["outcome"] == "kept")
    assert kept["summary_quote"] == SUMMARY[kept["summary_start"] : kept["summary_end"]] != ""


def test_beside_the_findings_stand_audit_counts_and_added_statements(reader, compaction):
    page = reader.json(f"/compactions/{compaction.pk}/findings?outcome=kept")
    audit = CompactionAudit.objects.get()

    assert page["audit"]["state"] == "done"
    assert page["audit"]["retention"] == audit.retention
    assert page["audit"]["llm_state"] == "off"
    assert page["counts"]["forgotten"] == audit.forgotten > 0
    assert page["counts"]["kind"]["prohibition"] == {"forgotten": 1}
    claims = [(claim["kind"], claim["summary_quote"]) for claim in page["added"]]
    assert ("unsupported_outcome", "All 412 tests pass.") in claims


def test_findings_of_a_compaction_that_is_not_audited_are_none_yet(reader, acme):
    compaction = create_compaction(create_conversation(acme))

    page = reader.json(f"/compactions/{compaction.pk}/findings")

    assert (page["audit"], page["results"], page["added"]) == (None, [], [])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3]),
        ("outcome=altered", [2]),
        ("kind=prohibition", [1]),
        ("lost=true", [1, 2]),
        ("lost=false", [3]),
        ("harm=true", [2]),
        ("harm=false", [1, 3]),
        ("min_importance=0.5", [1, 2]),
        ("min_importance=0.9&outcome=forgotten", [1]),
        ("id=f3", [3]),
    ],
)
def test_findings_are_filtered(reader, acme, query, numbers):
    compaction = create_compaction(create_conversation(acme))
    create_finding(compaction, 1, kind="prohibition", importance=0.9)
    create_finding(compaction, 2, outcome="altered", harmful=True)
    create_finding(compaction, 3, outcome="kept", importance=0.2)

    page = reader.json(f"/compactions/{compaction.pk}/findings?{query}")

    assert [row["number"] for row in page["results"]] == numbers


@pytest.mark.parametrize(
    "query", ["outcome=lost", "kind=rule", "harm=2", "min_importance=2", "min_importance=nan", "x=1"]
)
def test_a_filter_that_cannot_be_taken_is_refused(reader, acme, query):
    compaction = create_compaction(create_conversation(acme))

    response = reader.get(f"/compactions/{compaction.pk}/findings?{query}")

    assert response.status_code == 422
    assert response.json()["error"]["at"] == query.partition("=")[0]


def test_a_message_that_is_gone_has_no_address(reader, acme):
    compaction = create_compaction(create_conversation(acme))
    create_finding(compaction, 1)

    [row] = reader.json(f"/compactions/{compaction.pk}/findings")["results"]

    assert row["messages"] == ["gone"]
    assert (row["places"][0]["id"], row["places"][0]["url"]) == (None, None)


def test_pages_and_exports_hold_the_same(reader, acme):
    compaction = create_compaction(create_conversation(acme))
    for number in range(1, 251):
        create_finding(compaction, number)

    walked = reader.walk(f"/compactions/{compaction.pk}/findings?limit=100")
    lines = reader.text(f"/compactions/{compaction.pk}/findings?format=jsonl").splitlines()
    table = reader.text(f"/compactions/{compaction.pk}/findings?format=csv").splitlines()

    assert [row["number"] for row in walked] == list(range(1, 251))
    assert [json.loads(line) for line in lines] == walked
    assert len(table) == 251


@pytest.mark.parametrize("rows", [1, 3])
def test_findings_take_the_same_queries_for_any_number_of_rows(reader, acme, rows, django_assert_num_queries):
    conversation = create_conversation(acme)
    compaction = create_compaction(conversation)
    CompactionAudit.objects.create(workspace=acme, compaction=compaction, state="done", version="1")
    for number in range(1, rows + 1):
        said = create_message(conversation)
        create_finding(compaction, number, spans=[[said.external_id, 0, 0, 5]])
    reader.json("/agents")

    with django_assert_num_queries(6):
        assert len(reader.json(f"/compactions/{compaction.pk}/findings")["results"]) == rows


def test_outsiders_find_nothing(client, globex, compaction):
    outsider = Reader(client, globex)

    assert outsider.get(f"/compactions/{compaction.pk}/findings").status_code == 404
    assert outsider.get(f"/conversations/{compaction.conversation_id}/life-lines").status_code == 404
    assert client.get(f"/api/v1/compactions/{compaction.pk}/findings").status_code == 401


# --- life-lines -----------------------------------------------------------------------------------------------------


def test_life_lines_tell_what_became_of_a_fact_at_each_compaction(reader, acme):
    conversation = conversation_with_losses(acme, f"{RULE}\n{PORT}")
    first = conversation.compactions.get()
    create_compaction(
        conversation, PORT, dropped=[first.summary_message, create_message(conversation, "Now the invoices, please.")]
    )
    audit_conversation(Conversation.objects.get(pk=conversation.pk))

    lines = reader.json(f"/conversations/{conversation.pk}/life-lines?dead=true")["results"]

    dead = next(line for line in lines if line["text"] and FINDING[:20] in line["text"])
    assert dead["stages"][0]["outcome"] == "forgotten"
    assert dead["died_at"] == 1
    assert all(line["died_at"] for line in lines)


def test_life_lines_stand_by_importance_over_pages(reader, acme):
    conversation = create_conversation(acme)
    for number, importance in enumerate([0.25, 1 / 3, 0.9, 1 / 3, 0.1]):
        LifeLine.objects.create(
            workspace=acme, conversation=conversation, fact_id=str(number), kind="value", text="A port.", born=1,
            born_before=1, generations_kept=0, importance=importance, stages=[],
        )  # fmt: skip

    walked = reader.walk(f"/conversations/{conversation.pk}/life-lines?limit=2")

    assert [line["id"] for line in walked] == ["2", "1", "3", "0", "4"]
    assert [line["id"] for line in reader.walk(f"/conversations/{conversation.pk}/life-lines?min_importance=0.3")] == [
        "2", "1", "3",
    ]  # fmt: skip


# --- worst first ----------------------------------------------------------------------------------------------------


def test_compactions_stand_worst_first_over_pages(reader, acme):
    conversation = create_conversation(acme)
    for risk in (1.5, 0.0, 7.25, 1.5, None):
        compaction = create_compaction(conversation, external_id=f"risk {risk} {conversation.compaction_count}")
        if risk is not None:
            CompactionAudit.objects.create(workspace=acme, compaction=compaction, state="done", version="1", risk=risk)

    walked = reader.walk("/compactions?order=worst&limit=1")

    assert [row["audit"]["risk"] for row in walked] == [7.25, 1.5, 1.5, 0.0]
    assert walked[1]["id"] > walked[2]["id"]
    assert len(reader.walk("/compactions?order=newest")) == 5


@pytest.mark.parametrize("cursor", ["x", "YXQ6MTox", "YXVkaXRfX3Jpc2s6bmFuOjE"])
def test_a_cursor_of_another_list_is_refused(reader, acme, cursor):
    response = reader.get(f"/compactions?order=worst&cursor={cursor}")

    assert (response.status_code, response.json()["error"]["at"]) == (422, "cursor")
