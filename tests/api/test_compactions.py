import json
from datetime import timedelta

import pytest

from conversations.models import CompactionAudit
from tests.api.reading import Reader
from tests.factories import START, create_agent, create_compaction, create_conversation, create_message


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


def keys(results):
    return [result["external_id"] for result in results]


@pytest.mark.parametrize(
    ("found", "numbers"),
    [("harm", [3]), ("forgotten", [3, 2]), ("altered", []), ("added", [2]), ("unaudited", [1])],
)
def test_compactions_are_filtered_by_what_the_auditor_found(reader, acme, found, numbers):
    row = create_conversation(acme)
    _, second, third = (create_compaction(row, None) for _ in range(3))
    counts = {second: {"forgotten": 1, "added": 2}, third: {"forgotten": 3, "harmful": 1}}
    for compaction, fields in counts.items():
        CompactionAudit.objects.create(workspace=acme, compaction=compaction, state="done", version="1", **fields)

    assert [each["number"] for each in reader.json(f"/compactions?found={found}")["results"]] == numbers


@pytest.fixture
def whole(acme):
    """A compaction with everything that a source can tell, that dropped m1 and kept m2."""
    row = create_conversation(acme, agent=create_agent(acme, "coder", "2"), external_id="abc", title="Fix it")
    gone, _ = create_message(row, external_id="m1"), create_message(row, external_id="m2")
    return create_compaction(
        row, "What was done.", dropped=[gone], external_id="c1", kind="threshold", trigger="threshold",
        trigger_tokens=150_000, instructions="Keep rules.", model="claude-sonnet-5-5", duration_ms=4200,
        tokens_before_reported=160_000, tokens_before_observed=158_000, tokens_after_observed=21_000,
        cost_input_tokens=9,
        cost_output_tokens=700, kept_ids=["m2"], dropped_ids=["m1"], kept_count=1, raw={"a": [1]},
    )  # fmt: skip


def test_compaction_is_told_whole(reader, whole):
    assert reader.json(f"/compactions/{whole.pk}") == {
        "id": whole.pk,
        "external_id": "c1",
        "url": f"/api/v1/compactions/{whole.pk}",
        "html_url": f"/w/acme/compactions/{whole.pk}/",
        "conversation": {"id": whole.conversation_id, "external_id": "abc", "title": "Fix it"},
        "agent": {"id": whole.conversation.agent_id, "name": "coder", "version": "2"},
        "number": 1,
        "position": whole.position,
        "at": whole.at.isoformat().replace("+00:00", "Z"),
        "kind": "threshold",
        "trigger": "threshold",
        "trigger_tokens": 150_000,
        "model": "claude-sonnet-5-5",
        "duration_ms": 4200,
        "error": "",
        "summary_state": "text",
        "tokens_before": {"reported": 160_000, "observed": 158_000},
        "tokens_after": {"reported": None, "observed": 21_000},
        "cost": {"input_tokens": 9, "cache_read_tokens": None, "cache_write_tokens": None, "output_tokens": 700},
        "dropped_count": 1,
        "kept_count": 1,
        "complete": True,
        "instructions": "Keep rules.",
        "summary": "What was done.",
        "summary_message": whole.summary_message_id,
        "dropped_ids": ["m1"],
        "kept_ids": ["m2"],
        "cleared_ids": [],
        "raw": {"a": [1]},
        "audit": None,
    }


def test_compaction_leads_to_what_it_dropped_and_kept(reader, whole):
    assert keys(reader.json(f"/compactions/{whole.pk}/dropped")["results"]) == ["m1"]
    assert keys(reader.json(f"/compactions/{whole.pk}/kept")["results"]) == ["m2"]


def test_compaction_tells_its_audit(reader, acme, whole):
    CompactionAudit.objects.create(
        workspace=acme, compaction=whole, state="done", version="1", facts=3, kept=2, forgotten=1
    )

    audit = reader.json(f"/compactions/{whole.pk}")["audit"]

    assert (audit["facts"], audit["kept"], audit["forgotten"]) == (3, 2, 1)


def test_compaction_without_a_summary_has_none(reader, acme):
    compaction = create_compaction(create_conversation(acme), summary=None)

    told = reader.json(f"/compactions/{compaction.pk}")

    assert (told["summary"], told["summary_message"], told["audit"]) == (None, None, None)


def test_kept_is_what_left_later_or_not_at_all(reader, acme):
    row = create_conversation(acme)
    m1, m2 = create_message(row, external_id="m1"), create_message(row, external_id="m2")
    first = create_compaction(row, dropped=[m1])
    second = create_compaction(row, dropped=[m2])

    assert keys(reader.json(f"/compactions/{first.pk}/kept")["results"]) == ["m2"]
    assert keys(reader.json(f"/compactions/{second.pk}/kept")["results"]) == ["summary-1"]
    assert keys(reader.json(f"/compactions/{second.pk}/dropped?role=assistant")["results"]) == []


def test_what_was_on_another_branch_was_not_in_the_context(reader, acme):
    row = create_conversation(acme)
    for name in ("stays", "edited"):
        create_message(row, external_id=name)
    compaction = create_compaction(row, summary=None, raw={"abandoned": ["edited"]})

    assert keys(reader.json(f"/compactions/{compaction.pk}/kept")["results"]) == ["stays"]
    context = reader.json(f"/conversations/{row.pk}/messages?in_context_at={compaction.pk}")
    assert keys(context["results"]) == ["stays"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["third", "second", "first"]),
        ("kind=threshold", ["first"]),
        ("trigger=manual", ["second"]),
        ("state=absent", ["third"]),
        ("agent=coder", ["third", "first"]),
        ("agent=coder&agent_version=2", ["third"]),
        ("model=claude-opus-5-5", ["second"]),
        ("complete=false", ["third"]),
        ("since=2026-11-20T09:01:00Z", ["third", "second"]),
        ("until=2026-11-20T09:01:00Z", ["first"]),
        ("external_id=second", ["second"]),
    ],
)
def test_compactions_are_filtered(reader, acme, query, expected):
    coder, helper = (
        create_conversation(acme, agent=create_agent(acme, "coder", "1")),
        create_conversation(acme, agent="helper"),
    )
    newer = create_conversation(acme, agent=create_agent(acme, "coder", "2"))
    create_compaction(coder, external_id="first", kind="threshold", at=START)
    create_compaction(
        helper, external_id="second", trigger="manual", model="claude-opus-5-5", at=START + timedelta(minutes=1)
    )
    create_compaction(newer, None, external_id="third", complete=False, at=START + timedelta(minutes=2))

    assert keys(reader.json(f"/compactions?{query}")["results"]) == expected


def test_compactions_of_a_conversation_stand_in_order(reader, acme):
    row = create_conversation(acme)
    expected = [create_compaction(row, at=START).external_id for _ in range(3)]
    create_compaction(create_conversation(acme))

    assert keys(reader.walk(f"/conversations/{row.pk}/compactions?limit=1")) == expected
    assert keys(reader.walk(f"/compactions?conversation={row.pk}&limit=2")) == expected[::-1]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("path", "queries"), [("/compactions", 2), ("/conversations/{}/compactions", 3)])
def test_compactions_take_the_same_queries_for_any_number_of_rows(
    reader, acme, rows, path, queries, django_assert_num_queries
):
    row = create_conversation(acme, agent="coder")
    for _ in range(rows):
        compaction = create_compaction(row)
        CompactionAudit.objects.create(workspace=acme, compaction=compaction, state="done", version="1")
    reader.json("/agents")

    with django_assert_num_queries(queries):
        assert len(reader.json(path.format(row.pk))["results"]) == rows


def test_export_holds_what_pages_hold(reader, acme):
    row = create_conversation(acme)
    for _ in range(3):
        create_compaction(row)

    lines = reader.text("/compactions?format=jsonl").splitlines()

    assert [json.loads(line) for line in lines] == reader.walk("/compactions?limit=2")


def test_copies_in_forked_sessions_are_listed_only_where_asked_for(reader, acme):
    original = create_compaction(create_conversation(acme), external_id="boundary")
    fork = create_conversation(acme)
    copy = create_compaction(fork, external_id="boundary", copy_of=original)

    everywhere = [row["id"] for row in reader.json("/compactions")["results"]]
    in_the_fork = [row["id"] for row in reader.json(f"/compactions?conversation={fork.pk}")["results"]]
    by_name = {row["id"] for row in reader.json("/compactions?external_id=boundary")["results"]}

    assert (everywhere, in_the_fork, by_name) == ([original.pk], [copy.pk], {original.pk, copy.pk})
