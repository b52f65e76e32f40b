from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.learned import adjusted, place, shipped, traits


@dataclass
class Row:
    number: int
    rank: float
    kind: str = "value"
    outcome: str = "forgotten"
    detail: str = ""
    detector: str = "words"
    author: str = "user"
    parts: dict = field(default_factory=lambda: {"rank": {"recent": 0.2}})


KINDS = ("value", "decision", "command")


def rows_of(ranks, kinds):
    ordered = sorted(ranks, reverse=True)
    return [Row(at, rank, kind) for at, (rank, kind) in enumerate(zip(ordered, kinds, strict=False), 1)]


LISTS = st.builds(
    rows_of, st.lists(st.floats(0, 1), max_size=12), st.lists(st.sampled_from(KINDS), min_size=12, max_size=12)
)
WEIGHTS = st.dictionaries(st.sampled_from([f"kind {kind}" for kind in KINDS]), st.floats(-2, 2), min_size=1)


def order(rows):
    return [(row.number, row.rank, row.kind, row.parts) for row in rows]


@given(LISTS)
def test_without_weights_the_ranking_is_as_shipped(rows):
    before = order(rows)

    assert place(rows, {}, 0) == []
    assert order(rows) == before


@given(LISTS, WEIGHTS, WEIGHTS)
def test_places_follow_from_the_shipped_ones_only(rows, weights, others):
    before = order(rows)
    place(rows, others, 1)
    place(rows, weights, 2)
    again = order(rows)

    assert place(rows, weights, 2) == []
    assert order(rows) == again
    place(rows, {}, 0)
    assert order(rows) == before


@given(LISTS, WEIGHTS)
def test_numbers_stay_a_permutation_in_the_order_of_the_ranks(rows, weights):
    place(rows, weights, 1)

    placed = sorted(rows, key=lambda row: row.number)
    assert [row.number for row in placed] == list(range(1, len(rows) + 1))
    assert [row.rank for row in placed] == sorted((row.rank for row in rows), reverse=True)


@given(LISTS, st.floats(0, 2))
def test_a_kind_that_is_liked_better_never_falls(rows, weight):
    before = {id(row): row.number for row in rows}

    place(rows, {"kind decision": weight}, 1)

    assert all(row.number <= before[id(row)] for row in rows if row.kind == "decision")
    assert all(row.number >= before[id(row)] for row in rows if row.kind != "decision")


def test_a_moved_finding_tells_by_what_it_was_moved():
    rows = rows_of([0.5, 0.45], ["value", "decision"])

    changed = place(rows, {"kind decision": 0.7, "by user": 0.1, "kind ask": 3.0}, 4)

    assert changed == rows
    assert [row.number for row in rows] == [2, 1]
    told = rows[1].parts["team"]
    assert told == {"version": 4, "number": 2, "rank": 0.45, "parts": {"kind decision": 0.7, "by user": 0.1}}
    assert rows[1].parts["rank"] == {"recent": 0.2}
    assert rows[1].rank == pytest.approx(adjusted(0.45, 0.8))
    assert shipped(rows[1]) == (2, 0.45)


def test_traits_are_words_that_findings_share():
    assert traits(Row(1, 0.5, detail="weakened", outcome="altered"))[2] == "outcome weakened"
    assert traits(Row(1, 0.5)) == ("kind value", "detector words", "outcome forgotten", "by user")
