"""Of a long past so much is read as the time allows, and it is known from when on nothing is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.alerts import preview as module
from conversations.alerts.definition import Point
from conversations.alerts.evaluation import definition_of
from conversations.alerts.looking_back import look_back, newest_groups
from conversations.alerts.preview import preview
from conversations.alerts.queries import Event
from tests.alerts.rows import compacted, create_rule
from tests.factories import START

T = datetime(2026, 11, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Store:
    """Events at these hours after T; every one that is read takes its time, and so does asking."""

    def __init__(self, hours, *, each=0.0, ask=0.0):
        self.events = [Event(T + hour * HOUR, 1.0, None, "", None, number) for number, hour in enumerate(sorted(hours))]
        self.each, self.ask, self.now, self.asked = each, ask, 0.0, 0

    def read(self, since, until, most):
        found = [event for event in self.events if since < event.at <= until][-most:]
        self.asked += 1
        self.now += self.ask + self.each * len(found)
        return found

    def look_back(self, *, most=1000, seconds=1e9):
        until = T + 90 * DAY
        return look_back(self.read, T, until, most=most, seconds=seconds, clock=lambda: self.now)


@given(hours=st.lists(st.integers(1, 90 * 24), max_size=60), most=st.integers(1, 40), seconds=st.floats(0, 20))
def test_what_is_read_is_the_newest_and_whole_after_its_begin(hours, most, seconds):
    store = Store(hours, each=0.3)

    found = store.look_back(most=most, seconds=seconds)

    assert found.events == store.events[len(store.events) - len(found.events) :]
    assert [event for event in store.events if event.at > found.since] == [
        event for event in found.events if event.at > found.since
    ]
    assert len(found.events) <= most


def test_everything_is_read_in_a_few_pieces():
    store = Store(range(1, 2000))

    found = store.look_back(most=5000)

    assert (len(found.events), found.since) == (1999, T)
    assert store.asked <= 7


@pytest.mark.parametrize("ask", [0.0, 0.2])
def test_it_ends_soon_after_the_time_is_up(ask):
    """2,160 events of 10 ms: 21.6 s, of which 4 may be taken."""
    store = Store(range(1, 2161), each=0.01, ask=ask)

    found = store.look_back(most=5000, seconds=4)

    assert 3 <= store.now <= 5
    assert 250 <= len(found.events) <= 500
    assert found.since > T + 60 * DAY


def test_newest_groups_leave_out_what_is_older():
    points = [Point(T + number * HOUR, 1.0, group, number) for number, group in enumerate("abcbcc")]

    assert newest_groups(points, 3) == (points, None)
    assert newest_groups(points, 2) == (points[1:], points[0].at)
    assert newest_groups(points, 1) == (points[4:], points[3].at)
    assert newest_groups([], 1) == ([], None)


def test_preview_of_a_long_past_says_the_same(acme, monkeypatch):
    for number in range(12):
        compacted(acme, at=START - number * 2 * DAY, forgotten=number % 7, agent=f"a{number % 3}")
    definitions = [
        definition_of(create_rule(acme, name=str(number), group_by="agent", **fields))
        for number, fields in enumerate([{"warning": 3}, {"aggregation": "max", "window_minutes": 1440, "warning": 2}])
    ]
    short = [preview(acme, definition, 30, START + DAY) for definition in definitions]
    monkeypatch.setattr(module, "LONG", 3)

    assert [preview(acme, definition, 30, START + DAY) for definition in definitions] == short
    assert not any(each.cut for each in short)


def test_preview_that_had_no_time_says_since_when(acme, monkeypatch):
    """Firings before that are not told, for what came before them is not known."""
    for number in range(4):
        compacted(acme, at=START - number * 7 * DAY, forgotten=9 * (number % 2))
    rule = definition_of(create_rule(acme))
    monkeypatch.setattr(module, "LONG", 3)
    monkeypatch.setattr(module, "READ_SECONDS", 0.0)

    found = preview(acme, rule, 30, START + MINUTE)

    assert (found.cut, found.matched, found.fired) == (True, 1, 0)
    assert START - DAY < found.since < START
