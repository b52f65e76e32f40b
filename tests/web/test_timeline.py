from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.web.timeline import MOST_POINTS, Cut, Point, caption, chosen, index_of

AT = datetime(2026, 11, 20, tzinfo=UTC)


def cut(position=0, before=100_000, after=20_000, number=1):
    return Cut(number, position, AT, before, after, "/w/acme/compactions/1/", "Compaction 1")


def test_chosen_keeps_all_of_a_short_timeline():
    assert chosen([5] * MOST_POINTS, []) == list(range(MOST_POINTS))


def test_chosen_keeps_every_tooth_of_a_long_one():
    values = [n % 997 * 150 for n in range(100_000)]
    edges = [n for n in range(1, 100_000) if values[n] < values[n - 1]]

    picked = set(chosen(values, edges))

    assert len(picked) <= MOST_POINTS
    assert {edge - 1 for edge in edges} | set(edges) <= picked


@given(st.lists(st.integers(0, 9), min_size=1, max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_chosen_keeps_ends_extremes_and_order(values, edges):
    picked = chosen(values, edges, most=60)

    assert picked == sorted(set(picked))
    assert {0, len(values) - 1} <= set(picked)
    assert max(values) == max(values[at] for at in picked)
    assert min(values) == min(values[at] for at in picked)
    assert len(picked) <= 60


def test_chosen_is_bounded_for_noise():
    values = [(n * 7919) % 10_007 for n in range(100_000)]

    assert 800 < len(chosen(values, [])) <= MOST_POINTS


@pytest.mark.parametrize(("position", "index"), [(5, 0), (10, 0), (11, 1), (20, 1), (25, 2)])
def test_index_of_counts_the_requests_before_a_compaction(position, index):
    points = [Point(10, 1), Point(20, 2)]  # a request at the compaction's own position comes after it

    assert index_of(points, cut(position)) == index


@pytest.mark.parametrize(
    ("cuts", "sentence"),
    [
        ([], "It was never compacted"),
        ([cut()], "One compaction took it from 100,000 to 20,000"),
        ([cut(), cut(before=120_000)], "2 compactions took it from about 110 k to about 20 k (medians)"),
        ([cut(before=None)], "1 compaction; the tokens around them are not known"),
    ],
)
def test_caption_says_what_the_figure_shows(cuts, sentence):
    said = caption(requests=3, peak=120_000, now=60_000, cuts=cuts)

    assert (
        said
        == f"3 requests; the context held 120,000 tokens at its largest and 60,000 at the last request. {sentence}."
    )


def test_caption_of_no_requests():
    assert caption(requests=0, peak=None, now=None, cuts=[]).startswith("No model call")
