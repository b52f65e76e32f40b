from dataclasses import dataclass

import pytest

from conversations.spending.tally import Freed, Step
from conversations.web.timeline import Point
from conversations.web.would import Beyond, beyond, freed_in_small, freed_of, steps, would_line


@dataclass
class Compaction:
    position: int
    tokens_before_observed: int | None = None
    tokens_after_observed: int | None = None


def points(*sizes):
    return [Point(10 * number, size, output=7) for number, size in enumerate(sizes, 1)]


def test_would_line_is_what_was_sent_and_what_had_been_freed():
    given = points(100, 30, 50)

    freed = freed_of(given, [Step(15)])

    assert freed == [Freed(0, True), Freed(77, True), Freed(77, True)]
    assert would_line(given, freed) == [100, 107, 127]


@pytest.mark.parametrize("positions", [[], [5], [35]])
def test_there_is_no_second_line_where_nothing_was_freed(positions):
    given = points(100, 130, 150)

    assert would_line(given, freed_of(given, [Step(position) for position in positions])) == []
    assert would_line([], []) == []


def test_steps_are_groups_of_compactions_between_two_requests():
    given = points(100, 30, 50, 20)
    compactions = [Compaction(5), Compaction(15), Compaction(16), Compaction(35), Compaction(45)]

    found = steps(given, freed_of(given, [Step(each.position) for each in compactions]), compactions)

    assert [[each.position for each in step.compactions] for step in found] == [[5], [15, 16], [35], [45]]
    assert [(step.before, step.after, step.freed, step.certain, step.requests) for step in found] == [
        (None, 100, 0, False, 4), (107, 30, 77, True, 3), (57, 20, 37, True, 1), (27, None, 0, False, 0),
    ]  # fmt: skip
    assert [step.saved for step in found] == [0, 231, 37, 0]


def test_window_that_slides_had_freed_a_part_before_it_got_where_it_is():
    given = points(100, 90, 90, 90, 90)

    freed = freed_of(given, [Step(35, 40), Step(15, 20), Step(25, 30)])
    [step] = steps(given, freed, [Compaction(35)])

    assert would_line(given, freed) == [100, 110, 140, 180, 180]
    assert (step.freed, step.requests, step.saved) == (90, 2, 20 + 50 + 90 + 90)


@pytest.mark.parametrize(
    ("window", "found"),
    [(None, None), (200, None), (127, None), (126, Beyond(1, 3, 3)), (100, Beyond(2, 2, 3)), (5, Beyond(3, 1, 3))],
)
def test_beyond_counts_requests_that_would_not_have_fitted(window, found):
    given = points(100, 30, 50)

    assert beyond(given, freed_of(given, [Step(15)]), window) == found


LINE = {"stride": 1, "count": 4, "points": [[90, 90], [30, 40], [60, 60], [20, 20]], "marks": [1, 3]}


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ([(95, 30), (62, 20)], [0, 65, 65, 107]),
        ([(95, 30), (None, 20)], [0, 65, 65, 65]),
        ([(30, 95), (62, 20)], [0, 0, 0, 42]),
        ([(30, 95), (20, 62)], []),  # nothing was freed
        ([(95, 30)], []),  # whose mark is whose is not known
        ([(9000, 30), (62, 20)], []),  # it would press the line that was sent flat
    ],
)
def test_freed_in_small_is_what_was_freed_before_each_point(observed, expected):
    compactions = [Compaction(0, before, after) for before, after in observed]

    assert freed_in_small(LINE, compactions) == expected


def test_freed_in_small_of_nothing():
    assert freed_in_small({}, []) == []
