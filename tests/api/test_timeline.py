import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.api.timeline import thin
from tests.api.reading import Reader
from tests.factories import create_compaction, create_conversation, create_request


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def row(acme):
    return create_conversation(acme, context_window=200_000)


def tokens(page):
    return [call["context_tokens"] for call in page["results"]]


def test_timeline_tells_calls_and_compactions(reader, row):
    create_request(row, 1000, output_tokens=50)
    create_request(row, 900, purpose="compaction")
    compaction = create_compaction(row, None, tokens_before_reported=1100, tokens_after_observed=300)
    create_request(row, 300)

    page = reader.json(f"/conversations/{row.pk}/timeline")

    assert tokens(page) == [1000, 900, 300]
    assert [call["purpose"] for call in page["results"]] == ["turn", "compaction", "turn"]
    assert page["results"][0]["output_tokens"] == 50
    assert page["context_window"] == 200_000
    assert [(mark["id"], mark["tokens_before"], mark["tokens_after"]) for mark in page["compactions"]] == [
        (compaction.pk, 1100, 300)
    ]


def test_timeline_has_pages(reader, row):
    expected = [create_request(row, 100 + number).context_tokens for number in range(5)]

    calls = reader.walk(f"/conversations/{row.pk}/timeline?limit=2")

    assert [call["context_tokens"] for call in calls] == expected


def test_timeline_is_thinned_to_points(reader, row):
    for number in range(40):
        create_request(row, 1000 + number)
    create_compaction(row, None)
    for number in range(40):
        create_request(row, 100 + number)

    page = reader.json(f"/conversations/{row.pk}/timeline?points=10")

    assert len(page["results"]) <= 12
    assert {1000, 1039, 100, 139} <= set(tokens(page))
    assert page["next"] is None


def test_export_holds_all_calls(reader, row):
    expected = [str(create_request(row, 100 + number).context_tokens) for number in range(5)]

    table = csv.DictReader(io.StringIO(reader.text(f"/conversations/{row.pk}/timeline?format=csv"), newline=""))

    assert [line["context_tokens"] for line in table] == expected


@pytest.mark.parametrize("query", ["points=9", "points=5001", "points=many"])
def test_points_out_of_range_are_refused(reader, row, query):
    assert reader.get(f"/conversations/{row.pk}/timeline?{query}").status_code == 422


@pytest.mark.parametrize("calls", [1, 3])
def test_timeline_takes_the_same_queries_for_any_number_of_calls(reader, row, calls, django_assert_num_queries):
    for _ in range(calls):
        create_request(row)
        create_compaction(row)
    reader.json("/agents")

    with django_assert_num_queries(4):  # the key, the conversation, calls, compactions
        assert len(reader.json(f"/conversations/{row.pk}/timeline")["results"]) == calls


@given(
    heights=st.lists(st.integers(0, 10**6), min_size=1, max_size=300),
    edges=st.lists(st.integers(-5, 3100), max_size=4),
    most=st.integers(10, 60),
)
def test_thinning_keeps_extremes_and_edges(heights, edges, most):
    points = [(pk, pk * 10, height) for pk, height in enumerate(heights)]

    chosen = thin(points, edges, most)

    kept = {points[pk][2] for pk in chosen}
    assert chosen == sorted(set(chosen))
    assert {0, len(points) - 1} <= set(chosen)
    assert {min(heights), max(heights)} <= kept
    assert len(chosen) <= most + 4
    for edge in edges:
        before = [pk for pk, position, _ in points if position <= edge]
        after = [pk for pk, position, _ in points if position > edge]
        assert set(before[-1:] + after[:1]) <= set(chosen)
