from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.alerts.hours import Hours, Schedule, silent_until


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = Hours(time(22), time(7), "Europe/Berlin")
OFFICE = Hours(time(9), time(17), "UTC", weekdays=(0, 1, 2, 3, 4))
FRIDAY_NIGHT = Hours(time(20), time(4), "UTC", weekdays=(4,))


@pytest.mark.parametrize(
    ("hours", "at", "end"),
    [
        (NIGHT, "2026-11-20 20:59", None),  # 21:59 in Berlin
        (NIGHT, "2026-11-20 21:00", "2026-11-21 06:00"),
        (NIGHT, "2026-11-21 05:59", "2026-11-21 06:00"),
        (NIGHT, "2026-11-21 06:00", None),
        (NIGHT, "2026-07-20 20:00", "2026-07-21 05:00"),  # summer time
        (NIGHT, "2026-03-28 23:00", "2026-03-29 05:00"),  # the night on which an hour is missing
        (NIGHT, "2026-10-24 23:00", "2026-10-25 06:00"),  # the night that has an hour more
        (OFFICE, "2026-11-20 12:00", "2026-11-20 17:00"),  # a Friday
        (OFFICE, "2026-11-21 12:00", None),
        (FRIDAY_NIGHT, "2026-11-20 23:00", "2026-11-21 04:00"),
        (FRIDAY_NIGHT, "2026-11-21 03:00", "2026-11-21 04:00"),  # Saturday, of the span that began on Friday
        (FRIDAY_NIGHT, "2026-11-21 23:00", None),
        (FRIDAY_NIGHT, "2026-11-20 03:00", None),
        (Hours(time(8), time(8)), "2026-11-21 03:00", "2026-11-21 08:00"),
    ],
)
def test_end_of_hours(hours, at, end):
    assert hours.end_of(utc(at)) == (end and utc(end))


@given(
    st.integers(0, 10 * 366 * 86_400).map(lambda seconds: utc("2020-01-01") + timedelta(seconds=seconds)),
    st.times(),
    st.times(),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_hours_end_after_the_moment_and_within_a_day(at, begins, ends, zone):
    begins, ends = begins.replace(fold=0), ends.replace(fold=0)
    end = Hours(begins, ends, zone).end_of(at)

    assert end is None or at < end <= at + timedelta(hours=25)


def test_time_zone_decides():
    at = utc("2026-11-20 23:30")

    assert Hours(time(22), time(23), "UTC").end_of(at) is None
    assert Hours(time(22), time(23, 45), "America/New_York").end_of(at) is None
    assert Hours(time(18), time(19), "America/New_York").end_of(at) == utc("2026-11-21 00:00")


ONCE = Schedule(utc("2026-11-20 10:00"), utc("2026-11-20 12:00"))
OPEN = Schedule(utc("2026-11-20 11:00"), None)
WEEKLY = Schedule(utc("2026-11-20 00:00"), utc("2026-11-24 10:00"), OFFICE)


@pytest.mark.parametrize(
    ("schedules", "at", "end"),
    [
        ([], "2026-11-20 10:30", None),
        ([ONCE], "2026-11-20 09:59", None),
        ([ONCE], "2026-11-20 10:00", "2026-11-20 12:00"),
        ([ONCE], "2026-11-20 12:00", None),
        ([ONCE, WEEKLY], "2026-11-20 11:00", "2026-11-20 17:00"),
        ([WEEKLY], "2026-11-22 11:00", None),
        ([WEEKLY], "2026-11-24 09:30", "2026-11-24 10:00"),
        ([WEEKLY], "2026-11-25 09:30", None),
    ],
)
def test_the_longest_silence_counts(schedules, at, end):
    assert silent_until(schedules, utc(at)) == (end and utc(end))


def test_a_silence_without_end_has_none():
    assert silent_until([ONCE, OPEN], utc("2026-11-20 11:30")) == datetime.max.replace(tzinfo=UTC)
