from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.windows import (
    DAY,
    LIFE,
    SLOT,
    Every,
    Window,
    midnight,
    slot_of,
    window_at,
    windows_between,
)
from conversations.vocabulary import BudgetPeriod

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/Santiago", "Africa/Cairo"]  # fmt: skip
CALENDAR = [BudgetPeriod.HOUR, BudgetPeriod.DAY, BudgetPeriod.WEEK, BudgetPeriod.MONTH]
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- zone beside
calendars = st.builds(Every, st.sampled_from(CALENDAR), st.sampled_from(ZONES))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "zone", "moment", "start", "end"),
    [
        ("hour", "Asia/Kathmandu", "2026-11-22T21:59:59", "2026-11-22T21:00", "2026-11-22T22:00"),
        ("day", "UTC", "2026-11-22T21:59", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("day", "America/New_York", "2026-11-22T04:59", "2026-11-21T05:00", "2026-11-22T05:00"),
        ("day", "Asia/Kathmandu", "2026-11-22T18:15", "2026-11-22T18:15", "2026-11-23T18:15"),
        # the clock is put forward: 23 hours; back: 25
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        # over midnight: the day begins when the clock jumps to one o'clock
        ("day", "Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-24T21:00"),
        # back over midnight: the day begins at the first of the two
        ("day", "America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("week", "Europe/Berlin", "2026-10-25T12:00", "2026-10-18T22:00", "2026-10-25T23:00"),
        ("month", "Europe/Berlin", "2026-10-25T12:00", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("month", "UTC", "2028-02-29T23:59", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_window_follows_the_wall_clock(period, zone, moment, start, end):
    assert window_at(Every(BudgetPeriod(period), zone), at(moment)) == Window(at(start), at(end))


def test_rolling_window_ends_with_the_quarter_that_runs():
    every = Every(BudgetPeriod.ROLLING, hours=3)

    assert window_at(every, at("2026-11-22T21:07")) == Window(at("2026-11-22T18:15"), at("2026-11-22T21:15"))
    assert window_at(every, at("2026-11-22T21:15")) == Window(at("2026-11-22T18:30"), at("2026-11-22T21:30"))


def test_whole_life_has_no_bounds():
    assert window_at(Every(), at("2026-11-22T21:07")) == LIFE
    assert LIFE.days() == (date.min, date.max)
    assert LIFE.edges() == []
    with pytest.raises(ValueError, match="life has no windows"):
        list(windows_between(Every(), at("2026-11-22T21:07"), at("2026-11-23T21:07")))


@given(calendars, moments)
def test_windows_hold_the_moment_and_follow_one_upon_the_other(every, moment):
    window = window_at(every, moment)

    assert window.holds(moment)
    assert window_at(every, window.start) == window
    assert window_at(every, window.end).start == window.end
    assert window_at(every, window.end - timedelta(microseconds=1)) == window


@given(calendars, moments)
def test_local_days_begin_once_and_at_a_quarter(every, moment):
    window = window_at(every, moment)
    zone = ZoneInfo(every.time_zone)

    assert slot_of(window.start) == window.start
    if every.period == BudgetPeriod.DAY:
        local, before = (edge.astimezone(zone) for edge in (window.start, window.start - timedelta(microseconds=1)))
        assert local.date() == before.date() + DAY


@given(calendars, moments, st.integers(0, 100))
def test_windows_between_cover_the_time_without_gaps(every, moment, hours):
    until = moment + timedelta(hours=hours)

    windows = list(windows_between(every, moment, until))

    assert [window.end for window in windows[:-1]] == [window.start for window in windows[1:]]
    if hours:
        assert windows[0].holds(moment)
        assert windows[-1].holds(until - timedelta(microseconds=1))


@given(moments, st.integers(0, 5000))
def test_days_and_edges_make_up_the_window(moment, quarters):
    window = Window(slot_of(moment), slot_of(moment) + quarters * SLOT)
    first, after = window.days()

    whole = [(midnight(first + n * DAY), midnight(first + (n + 1) * DAY)) for n in range((after - first).days)]
    pieces = sorted([*whole, *window.edges()])

    assert sum(((end - start) for start, end in pieces), timedelta()) == window.end - window.start
    assert all(earlier[1] == later[0] for earlier, later in pairwise(pieces))
    assert all(end - start < DAY for start, end in window.edges()) or not whole
