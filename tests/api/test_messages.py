import csv
import io
import json

import pytest

from tests.api.reading import Reader
from tests.factories import create_compaction, create_conversation, create_message


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def row(acme):
    return create_conversation(acme)


def keys(results):
    return [result["external_id"] for result in results]


def say(row, count):
    return [create_message(row, f"Message {number}", external_id=f"m{number}") for number in range(count)]


def test_message_is_told_whole(reader, row):
    blocks = [
        {"type": "text", "text": "x" * 70_000},
        {"type": "tool_call", "name": "Bash", "id": "t1", "input": {"z": 1, "a": 2}},
    ]
    message = create_message(row, blocks=blocks, role="assistant", external_id="uuid-1", excerpt="xxx")

    assert reader.json(f"/messages/{message.pk}") == {
        "id": message.pk,
        "external_id": "uuid-1",
        "conversation": row.pk,
        "url": f"/api/v1/messages/{message.pk}",
        "html_url": f"/w/acme/messages/{message.pk}/",
        "position": message.position,
        "at": "2026-11-20T09:00:10Z",
        "role": "assistant",
        "origin": "spoken",
        "size": 70_000,
        "dropped_by": None,
        "excerpt": "xxx",
        "blocks": blocks,
    }


def test_page_leaves_out_the_blocks_of_large_messages(reader, row):
    create_message(row, "x" * 65_536)
    create_message(row, "x" * 65_537)

    small, large = reader.json(f"/conversations/{row.pk}/messages")["results"]

    assert small["blocks"] == [{"type": "text", "text": "x" * 65_536}]
    assert large["blocks"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["m0", "m1", "m2"]),
        ("order=desc", ["m2", "m1", "m0"]),
        ("role=user", ["m0", "m2"]),
        ("origin=queued", ["m2"]),
        ("external_id=m1", ["m1"]),
        ("role=user&origin=spoken", ["m0"]),
    ],
)
def test_messages_are_filtered_and_ordered(reader, row, query, expected):
    create_message(row, external_id="m0")
    create_message(row, external_id="m1", role="assistant")
    create_message(row, external_id="m2", origin="queued")

    assert keys(reader.json(f"/conversations/{row.pk}/messages?{query}")["results"]) == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_walk_from_the_middle_goes_both_ways(reader, row, order):
    said = keys_of = [message.external_id for message in say(row, 11)]
    target = row.messages.get(external_id="m6")

    page = reader.json(f"/conversations/{row.pk}/messages?around={target.pk}&limit=4&order={order}")
    after, before = reader.walk(page["next"]), reader.walk(page["previous"])

    expected = said if order == "asc" else keys_of[::-1]
    assert "m6" in keys(page["results"])
    assert [*keys(before)[::-1], *keys(page["results"]), *keys(after)] == expected


def test_around_the_first_message_begins_with_it(reader, row):
    first, *_ = say(row, 3)

    page = reader.json(f"/conversations/{row.pk}/messages?around={first.pk}")

    assert keys(page["results"]) == ["m0", "m1", "m2"]
    assert (page["previous"], page["next"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "status"),
    [("around=1&cursor=x", 422), ("around=999", 404), ("in_context_at=999", 404), ("around=-1", 422)],
)
def test_places_that_are_not_there(reader, row, query, status):
    assert reader.get(f"/conversations/{row.pk}/messages?{query}").status_code == status


def test_context_at_a_compaction_is_what_had_not_left_before(reader, row):
    m0, _ = say(row, 2)
    first = create_compaction(row, dropped=[m0])
    m2 = create_message(row, external_id="m2")
    second = create_compaction(row, dropped=[m2])
    create_message(row, external_id="m3")

    at_first = reader.json(f"/conversations/{row.pk}/messages?in_context_at={first.pk}")["results"]
    at_second = reader.json(f"/conversations/{row.pk}/messages?in_context_at={second.pk}")["results"]

    assert keys(at_first) == ["m0", "m1"]
    assert keys(at_second) == ["m1", "summary-1", "m2"]


@pytest.mark.parametrize("rows", [1, 3])
def test_messages_take_the_same_queries_for_any_number_of_rows(reader, row, rows, django_assert_num_queries):
    say(row, rows)
    reader.json("/agents")

    with django_assert_num_queries(3):  # the key, the conversation, the page
        assert len(reader.json(f"/conversations/{row.pk}/messages")["results"]) == rows


def test_exports_hold_large_messages_whole(reader, row):
    create_message(row, "x" * 70_000)
    create_message(row, blocks=[{"type": "tool_result", "text": "=1+1", "id": "t1"}], role="tool")

    lines = [json.loads(line) for line in reader.text(f"/conversations/{row.pk}/messages?format=jsonl").splitlines()]
    table = list(csv.DictReader(io.StringIO(reader.text(f"/conversations/{row.pk}/messages?format=csv"), newline="")))

    assert [line["blocks"] for line in lines] == [message.blocks for message in row.messages.order_by("position")]
    assert [json.loads(line["blocks"]) for line in table] == [line["blocks"] for line in lines]


def test_export_can_be_turned_round(reader, row):
    say(row, 3)

    lines = reader.text(f"/conversations/{row.pk}/messages?format=jsonl&order=desc").splitlines()

    assert keys(map(json.loads, lines)) == ["m2", "m1", "m0"]
