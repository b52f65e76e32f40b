from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.sparkline import MOST_POINTS, Turn, empty, extend

TURNS = st.lists(st.one_of(st.none(), st.integers(0, 2_000_000)), max_size=400).map(
    lambda tokens: [Turn(position, each) for position, each in enumerate(tokens)]
)


@given(TURNS, st.lists(st.integers(0, 400), max_size=6), st.randoms())
def test_adding_in_parts_gives_what_building_at_once_gives(turns, cuts, rng):
    edges = sorted({0, len(turns), *(cut for cut in cuts if cut < len(turns))})
    line = empty()
    for start, stop in pairwise(edges):
        part = turns[start:stop]
        rng.shuffle(part)
        line = extend(line, part)

    assert line == extend(empty(), turns)


@given(TURNS)
def test_points_are_the_lowest_and_highest_of_their_turns(turns):
    line = extend(empty(), turns)
    tokens = [turn.tokens for turn in turns if turn.tokens is not None]
    groups = [tokens[i : i + line["stride"]] for i in range(0, len(tokens), line["stride"])]

    assert line["points"] == [[min(group), max(group)] for group in groups]
    assert line["count"] == len(tokens)
    assert len(line["points"]) <= MOST_POINTS


@given(TURNS)
def test_marks_stand_before_the_first_turn_after_each_compaction(turns):
    line = extend(empty(), turns)
    before = [sum(t.tokens is not None for t in turns[:i]) for i, turn in enumerate(turns) if turn.tokens is None]

    assert line["marks"] == list(dict.fromkeys(count // line["stride"] for count in before))


def test_what_is_given_is_not_changed():
    line = extend(empty(), [Turn(1, 10)])
    copy = {**line, "points": [list(point) for point in line["points"]]}

    extend(line, [Turn(2, 20), Turn(3, None)])

    assert line == copy
