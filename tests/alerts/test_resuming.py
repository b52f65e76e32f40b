from datetime import timedelta
from operator import attrgetter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.alerts.definition import Definition
from conversations.alerts.resuming import BACK, TRUSTED, Checkpoint, Memory, run_on
from conversations.alerts.rules import Standing, run
from tests.alerts.test_rules import MINUTE, T, definitions, histories, rule
from tests.alerts.test_rules import events as events_from

DAY = timedelta(days=1)


class Seen:
    """The events of a test, and how far back they were asked for."""

    def __init__(self, points):
        self.all = sorted(points, key=attrgetter("at", "id"))
        self.asked = []

    def points(self, since, until):
        self.asked.append(since)
        return [point for point in self.all if since < point.at <= until]

    def digest(self, since, until):
        return sum(hash(point) for point in self.points(since, until))


def first(definition, start=T, states=None, now=T):
    return Checkpoint.first(definition, start, states or {}, now)


@settings(max_examples=200, deadline=None)
@given(histories(), st.lists(st.integers(1, 14 * 24 * 12).map(lambda n: n * 5 * MINUTE), min_size=1, max_size=8))
def test_going_on_finds_what_one_run_finds(history, ends):
    definition, points = history
    checkpoint, seen = first(definition), Seen(points)

    for until in sorted({T + end for end in ends}):
        found, checkpoint = run_on(checkpoint, seen, until)
        whole = run(definition, seen.points(T - definition.reach, until), start=T, until=until)
        assert sorted(found.intervals, key=order) == sorted(whole.intervals, key=order)
        assert opened(found.states) == opened(whole.states)


def order(interval):
    return (interval.since, interval.group)


def opened(states):
    return {group: each.open for group, each in states.items() if each.open}


@settings(max_examples=200, deadline=None)
@given(histories(), st.data())
def test_checkpoint_holds_as_long_as_nothing_before_it_changes(history, data):
    definition, points = history
    _, checkpoint = run_on(first(definition), Seen(points), T + 3 * DAY)
    if not points:
        return
    late = data.draw(st.sampled_from(points))
    rest = [point for point in points if point is not late]

    is_before = T - definition.reach < late.at <= checkpoint.at
    assert (checkpoint.verified(Seen(rest), T) is None) == is_before
    assert checkpoint.verified(Seen(points), T + DAY).verified_at == T + DAY


@settings(max_examples=200, deadline=None)
@given(histories(), st.integers(0, 3 * 24 * 60).map(lambda n: n * MINUTE))
def test_later_anchor_keeps_the_checkpoint(history, later):
    definition, points = history
    seen, until = Seen(points), T + 3 * DAY
    _, checkpoint = run_on(first(definition), seen, until - 2 * DAY)
    begun = run(definition, seen.points(T - definition.reach, T + later), start=T, until=T + later)
    moved = checkpoint.from_anchor(T + later, msgspec.to_builtins(begun.states), seen)
    if T + later > checkpoint.at:
        assert moved is None
        return

    found, _ = run_on(moved, seen, until)
    anew, _ = run_on(first(definition, T + later, msgspec.to_builtins(begun.states)), seen, until)

    assert sorted(found.intervals, key=order) == sorted(anew.intervals, key=order)
    assert moved.verified(seen, T) is not None


@settings(max_examples=100, deadline=None)
@given(definitions, st.integers(0, 3 * 24 * 12))
def test_no_more_is_read_than_the_looks_to_come_need(definition, minutes):
    checkpoint = first(definition, T + minutes * 5 * MINUTE)
    until = checkpoint.at + 20 * MINUTE
    since = checkpoint.needs_since(until)

    assert checkpoint.at - definition.reach - MINUTE <= since <= checkpoint.at
    if definition.step > 20 * MINUTE and (checkpoint.at - T) % definition.step < definition.step - 20 * MINUTE:
        assert since == checkpoint.at


def test_only_what_is_new_is_walked_through():
    seen = Seen(events_from("1 7 1 " * 400, every=5 * MINUTE))
    _, checkpoint = run_on(first(rule()), seen, T + DAY)
    seen.asked.clear()

    found, after = run_on(checkpoint, seen, T + DAY + MINUTE)

    assert len(found.intervals) == 96
    assert min(seen.asked) == checkpoint.at == T + DAY - BACK
    assert after.at == checkpoint.at


def test_checkpoint_is_trusted_for_some_minutes_and_not_when_the_clock_was_put_back():
    _, checkpoint = run_on(first(rule(), now=T), Seen([]), T + DAY)

    trusted = {after: checkpoint.is_trusted(T + after) for after in (-MINUTE, 0 * MINUTE, TRUSTED - MINUTE, TRUSTED)}

    assert list(trusted.values()) == [False, True, True, False]
    assert not first(rule()).is_trusted(T)


def test_checkpoint_is_of_one_definition_and_one_beginning():
    _, checkpoint = run_on(first(rule()), Seen([]), T + DAY)
    states = {"a": msgspec.to_builtins(Standing(heard=T))}

    assert checkpoint.is_of(rule(), T, {}, T + DAY)
    assert not checkpoint.is_of(rule(warning=6.0), T, {}, T + DAY)
    assert not checkpoint.is_of(rule(), T + MINUTE, {}, T + DAY)
    assert not checkpoint.is_of(rule(), T, states, T + DAY)
    assert not checkpoint.is_of(rule(), T, {}, checkpoint.at - MINUTE)


def test_memory_forgets_the_rule_that_waits_longest():
    memory = Memory(most=2)
    for key in (1, 2, 1, 3):
        memory.put(key, first(Definition("forgotten", warning=float(key))))

    assert [key for key in (1, 2, 3) if memory.get(key)] == [1, 3]
