import itertools
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.alerts.definition import Definition, Point, problems
from conversations.alerts.rules import Standing, run
from conversations.vocabulary import Aggregation, Direction, NoData, SignalState

T = datetime(2026, 11, 20, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def events(text, *, every=MINUTE, group=""):
    """ "1 . 7" → 1 after one `every`, nothing after two, 7 after three."""
    return [
        Point(T + number * every, float(word), group, number)
        for number, word in enumerate(text.split(), 1)
        if word != "."
    ]


def fired(definition, points, *, until=T + timedelta(days=1), start=T):
    """(minutes since T of begin and end, severity) of every firing."""
    found = run(definition, points, start=start, until=until).intervals
    return [
        (minutes(each.since), each.until and minutes(each.until), each.severity.value)
        for each in found
        if each.state == SignalState.FIRING
    ]


def minutes(moment):
    return (moment - T) / MINUTE


def rule(**fields):
    return Definition(**{"metric": "forgotten", "warning": 5.0, "quiet": timedelta(days=30), **fields})


EACH = [
    ("on the threshold is not beyond it", {}, "5 5 5", []),
    ("beyond it fires until the first that is not", {}, "1 6 7 5 1", [(2, 4, "warning")]),
    ("it fires still", {}, "1 6", [(2, None, "warning")]),
    ("twice", {}, "6 1 6 1", [(1, 2, "warning"), (3, 4, "warning")]),
    ("two in a row", {"in_a_row": 2}, "6 1 6 6 1", [(4, 5, "warning")]),
    ("a gap does not break a row", {"in_a_row": 2}, "6 . . 6 1", [(4, 5, "warning")]),
    ("below", {"direction": Direction.BELOW}, "7 4 5 6", [(2, 3, "warning")]),
    ("hysteresis: only at the lower figure is it over", {"clear": 2.0}, "6 4 3 6 2 4", [(1, 5, "warning")]),
    ("hysteresis from below", {"direction": Direction.BELOW, "clear": 8.0}, "4 6 7.9 8", [(1, 4, "warning")]),
    (
        "over only when well twice in a row",
        {"clear_in_a_row": 2},
        "6 1 6 1 . 1 6 1",
        [(1, 6, "warning"), (7, None, "warning")],
    ),
    (
        "a figure between threshold and end breaks that row",
        {"clear_in_a_row": 2, "clear": 2.0},
        "6 1 4 1 1",
        [(1, 5, "warning")],
    ),
    ("it worsens", {"critical": 10.0}, "6 11 6 1", [(1, 4, "critical")]),
    ("critical at once", {"critical": 10.0}, "11 1", [(1, 2, "critical")]),
    ("one critical of two is a warning", {"critical": 10.0, "in_a_row": 2}, "6 11 1", [(2, 3, "warning")]),
    ("only critical", {"warning": None, "critical": 10.0}, "6 11 6", [(2, 3, "critical")]),
    ("it ends by itself when nothing more comes", {"quiet": 3 * MINUTE}, "6 . . . . 1", [(1, 4, "warning")]),
    ("a row ends by itself", {"quiet": 3 * MINUTE, "in_a_row": 2}, "6 . . 6 1", []),
    ("it stays as it was", {"quiet": 3 * MINUTE, "no_data": NoData.KEEP}, "6 . . . . 1", [(1, 6, "warning")]),
    ("nothing at all", {}, "", []),
]


@pytest.mark.parametrize(("fields", "values", "expected"), [case[1:] for case in EACH], ids=[case[0] for case in EACH])
def test_each_event_is_read(fields, values, expected):
    assert fired(rule(**fields), events(values)) == expected


# one word = 15 minutes; windows of an hour are looked at every quarter of one
WINDOWS = [
    ("a count", {"warning": 2.0}, "1 1 1 . . .", [(60, 90, "warning")]),
    ("a sum", {"aggregation": "sum"}, "3 3 . . . . .", [(45, 90, "warning")]),
    ("a mean", {"aggregation": "mean"}, "4 4 10 4 4 4 4 4", [(60, 120, "warning")]),
    ("a share in percent", {"aggregation": "share", "warning": 50.0}, "0 1 1 0 0 0", [(60, 75, "warning")]),
    ("a median", {"aggregation": "p50"}, "1 9 9 1 1 1 1", [(60, 75, "warning")]),
    ("the highest", {"aggregation": "max"}, "1 9 1 1 1 1 1", [(45, 105, "warning")]),
    ("too few events are no figure", {"aggregation": "mean", "minimum_sample": 3}, "9 9 . 9 1 1 1",
     [(75, 105, "warning")]),
    ("silence is a count of nothing", {"direction": "below", "warning": 1.0}, "1 . . . . 1",
     [(15, 30, "warning"), (90, 105, "warning")]),
    ("three times silence", {"direction": "below", "warning": 1.0, "in_a_row": 3}, "1 . . . . . . . 1",
     [(120, 150, "warning")]),
    ("silence is no mean", {"aggregation": "mean", "direction": "below", "warning": 1.0}, "5 . . . . .", []),
    ("no data is well", {"aggregation": "mean", "no_data": "ok"}, "9 . . . . . . .", [(30, 90, "warning")]),
    ("no data changes nothing", {"aggregation": "mean", "no_data": "keep"}, "9 . . . . . . 1", [(30, 135, "warning")]),
    ("quiet ends it", {"aggregation": "mean", "quiet": HOUR}, "9 . . . . . . 1", [(30, 135, "warning")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "values", "expected"), [case[1:] for case in WINDOWS], ids=[case[0] for case in WINDOWS]
)
def test_windows_are_read_four_times_while_they_pass(fields, values, expected):
    definition = rule(**{"aggregation": "count", **fields})
    definition = msgspec.convert(msgspec.to_builtins(definition), Definition)
    points = events(values, every=15 * MINUTE)
    last = T + 15 * MINUTE * len(values.split()) + 15 * MINUTE

    assert fired(definition, points, until=last) == expected


CHANGES = [
    ("it rises", "rises", "2 . . . 4 . . .", [(90, 150, "warning")]),
    ("it falls", "falls", "4 . . . 2 . . .", [(90, 150, "warning")]),
    ("from nothing there is no change", "rises", "0 . . . 9", []),
]


@pytest.mark.parametrize(
    ("direction", "values", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_change_is_against_the_window_before(direction, values, expected):
    definition = rule(aggregation=Aggregation.MAX, direction=Direction(direction), warning=40.0, no_data=NoData.OK)

    assert fired(definition, events(values, every=15 * MINUTE), until=T + 3 * HOUR) == expected


def test_silence_of_all_counts_from_the_start_and_of_a_group_from_its_first_event():
    below = {"aggregation": Aggregation.COUNT, "direction": Direction.BELOW, "warning": 1.0}

    assert fired(rule(**below), [], until=T + HOUR) == [(15, None, "warning")]
    assert fired(rule(group_by="agent", **below), [], until=T + HOUR) == []
    one = events("1", group="coder")
    assert fired(rule(group_by="agent", **below), one, until=T + 3 * HOUR) == [(75, None, "warning")]


def test_group_that_says_nothing_for_a_week_is_forgotten():
    definition = rule(group_by="conversation", no_data=NoData.KEEP)

    assert fired(definition, events("6", group="7"), until=T + timedelta(days=8)) == [(1, 7 * 24 * 60 + 1, "warning")]


def test_no_data_is_told_until_there_are_some():
    definition = rule(no_data=NoData.TELL, quiet=2 * MINUTE)
    found = run(definition, events("6 . . . . 1"), start=T, until=T + 7 * MINUTE).intervals

    assert [(each.state, minutes(each.since), minutes(each.until)) for each in found] == [
        ("firing", 1, 3),
        ("no_data", 3, 6),
    ]


def test_groups_fire_by_themselves():
    definition = rule(group_by="agent", in_a_row=2)
    points = sorted([*events("6 . 6", group="coder"), *events(". 6 . 1", group="support")])
    found = run(definition, points, start=T, until=T + HOUR).intervals

    assert [(each.group, minutes(each.since), each.until) for each in found] == [("coder", 3, None)]


def test_firing_names_the_events_it_rests_on():
    points = events("6 7 1 6 8 9")
    found = run(rule(in_a_row=2), points, start=T, until=T + HOUR).intervals

    assert [[place.id for place in each.places] for each in found] == [[1, 2], [4, 5, 6]]
    assert [(each.value, each.peak, each.threshold) for each in found] == [(1, 7, 5), (9, 9, 5)]


def test_firing_over_windows_names_the_weightiest_events():
    points = events("1 2 9 3 4 8 5 6", every=MINUTE)
    found = run(rule(aggregation=Aggregation.SUM), points, start=T, until=T + 15 * MINUTE).intervals

    assert [place.id for place in found[0].places] == [3, 6, 8, 7, 5]


def test_what_lies_before_the_start_or_after_the_end_does_not_fire():
    points = events("9 1 9 1 9 1")

    assert fired(rule(), points, start=T + 2 * MINUTE, until=T + 3 * MINUTE) == [(3, None, "warning")]


WRONG = [
    ({"warning": None}, "warning"),
    ({"critical": 4.0}, "critical"),
    ({"critical": 6.0, "direction": Direction.BELOW}, "critical"),
    ({"clear": 6.0}, "clear"),
    ({"clear": 4.0, "direction": Direction.BELOW}, "clear"),
    ({"warning": float("nan")}, "warning"),
    ({"direction": Direction.RISES}, "direction"),
    ({"window": MINUTE}, "window_minutes"),
    ({"in_a_row": 0}, "in_a_row"),
]


@pytest.mark.parametrize(("fields", "field"), WRONG)
def test_what_is_wrong_with_a_definition_is_said_of_a_field(fields, field):
    assert field in [name for name, _ in problems(rule(**fields))]


def test_nothing_is_wrong_with_an_ordinary_definition():
    assert not list(problems(rule(critical=9.0, clear=3.0)))


# --- in pieces, as evaluation runs it ---------------------------------------------------------------------------------

definitions = st.builds(
    Definition,
    metric=st.just("forgotten"),
    aggregation=st.sampled_from(Aggregation),
    warning=st.sampled_from([1.0, 3.0, 50.0]),
    critical=st.sampled_from([None, 60.0]),
    clear=st.sampled_from([None, 1.0]),
    direction=st.sampled_from([Direction.ABOVE, Direction.RISES, Direction.FALLS]),
    in_a_row=st.integers(1, 3),
    clear_in_a_row=st.integers(1, 3),
    window=st.sampled_from([5 * MINUTE, 60 * MINUTE, 24 * HOUR]),
    minimum_sample=st.integers(1, 3),
    no_data=st.sampled_from(NoData),
    quiet=st.sampled_from([20 * MINUTE, timedelta(days=1), timedelta(days=20)]),
    group_by=st.sampled_from(["", "agent"]),
) | st.builds(
    Definition,
    metric=st.just("arrivals"),
    aggregation=st.sampled_from(Aggregation),
    warning=st.sampled_from([1.0, 3.0]),
    clear=st.sampled_from([None, 4.0]),
    direction=st.just(Direction.BELOW),
    in_a_row=st.integers(1, 3),
    clear_in_a_row=st.integers(1, 5),
    no_data=st.sampled_from(NoData),
    quiet=st.sampled_from([20 * MINUTE, timedelta(days=1), timedelta(days=20)]),
    group_by=st.sampled_from(["", "agent"]),
)
offsets = st.integers(0, 14 * 24 * 60).map(lambda number: number * MINUTE) | st.integers(0, 300).map(
    lambda number: number * MINUTE
)


@st.composite
def histories(draw):
    rows = draw(
        st.lists(st.tuples(offsets, st.sampled_from([0.0, 1.0, 2.0, 4.0, 100.0]), st.sampled_from("ab")), max_size=40)
    )
    definition = draw(definitions)
    points = [
        Point(T + at, value, group if definition.group_by else "", number)
        for number, (at, value, group) in enumerate(rows)
    ]
    return definition, sorted(points, key=lambda point: (point.at, point.id))


def in_pieces(definition, points, moments):
    """(closed intervals and those open at the end, states), by several runs, each over no more than it needs."""
    closed, states = [], {}
    for start, until in itertools.pairwise(moments):
        seen = [point for point in points if start - definition.reach <= point.at <= until]
        # What is between two runs lies in the database as JSON.
        states = msgspec.json.decode(msgspec.json.encode(states), type=dict[str, Standing])
        found = run(definition, seen, start=start, until=until, states=states)
        states = found.states
        closed += [each for each in found.intervals if each.until]
    still = [each.open for each in states.values() if each.open]
    return sorted([*closed, *still], key=lambda each: (each.since, each.group)), states


@settings(max_examples=300, deadline=None)
@given(histories(), st.lists(offsets, max_size=6))
def test_runs_one_after_the_other_find_what_one_run_finds(history, cuts):
    definition, points = history
    end = T + timedelta(days=15)
    moments = sorted({T, *(T + cut for cut in cuts), end})

    whole = run(definition, points, start=T, until=end)
    intervals, states = in_pieces(definition, points, moments)

    assert intervals == whole.intervals
    assert {group: each.open for group, each in states.items() if each.open} == {
        group: each.open for group, each in whole.states.items() if each.open
    }


@pytest.mark.parametrize(
    ("direction", "threshold", "values"),
    [(Direction.FALLS, 1.0, [1.0]), (Direction.ABOVE, -5.0, [-9.0]), (Direction.BELOW, 1.0, [3.0])],
)
@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.COUNT])
def test_group_that_may_fire_by_falling_silent_is_remembered_between_runs(aggregation, direction, threshold, values):
    definition = rule(aggregation=aggregation, direction=direction, warning=threshold, group_by="agent")
    points = [Point(T + 60 * MINUTE, value, "a", 1) for value in values]

    whole = run(definition, points, start=T, until=T + timedelta(days=1))
    pieces, _ = in_pieces(definition, points, [T, T + 2 * HOUR, T + timedelta(days=1)])

    assert pieces == whole.intervals
    assert whole.intervals


@settings(max_examples=200, deadline=None)
@given(histories())
def test_groups_that_are_left_out_at_a_look_would_not_have_fired(history):
    definition, points = history
    end = T + timedelta(days=15)

    assert run(definition, points, start=T, until=end).intervals == (
        run(definition, points, start=T, until=end, trace=[]).intervals
    )


@settings(max_examples=100, deadline=None)
@given(histories())
def test_intervals_of_a_group_follow_each_other(history):
    definition, points = history
    found = run(definition, points, start=T, until=T + timedelta(days=15)).intervals

    for group in {each.group for each in found}:
        ours = [each for each in found if each.group == group]
        assert all(before.until and before.until <= after.since for before, after in itertools.pairwise(ours))
        assert all(each.until is None or each.since <= each.until for each in ours)
