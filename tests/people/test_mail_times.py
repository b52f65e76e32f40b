"""When digests are due, across time zones and summer time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.people.mail_times import next_due, week_told
from conversations.vocabulary import MailPeriod

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    ("period", "after", "zone", "due"),
    [
        ("hourly", "2026-11-23T05:59:59", "Asia/Kathmandu", "2026-11-23T06:00"),
        ("hourly", "2026-11-23T06:00:00", "UTC", "2026-11-23T07:00"),
        ("daily", "2026-11-23T06:59:00", "Europe/Berlin", "2026-11-23T07:00"),
        ("daily", "2026-11-23T07:00:00", "Europe/Berlin", "2026-11-24T07:00"),
        ("daily", "2026-03-28T12:00:00", "Europe/Berlin", "2026-03-29T06:00"),  # the night in which summer begins
        ("weekly", "2026-11-20T00:00:00", "Europe/Berlin", "2026-11-23T07:00"),
        ("weekly", "2026-11-23T07:00:00", "Europe/Berlin", "2026-11-30T07:00"),
        ("weekly", "2026-11-22T23:00:00", "Pacific/Auckland", "2026-11-23T19:00"),  # Tuesday, 08:00 there
    ],
)
def test_next_due(period, after, zone, due):
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_due(MailPeriod(period), at, ZoneInfo(zone)) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_weekly_digest_tells_of_the_week_that_ended():
    assert week_told(datetime(2026, 11, 23, 7, tzinfo=UTC)) == date(2026, 11, 16)


@given(st.integers(1_577_836_800, 2_051_222_400), st.sampled_from(ZONES), st.sampled_from(MailPeriod))  # 2020 to 2034
def test_due_times_go_on_and_a_week_has_ended(seconds, zone, period):
    after = datetime.fromtimestamp(seconds, UTC)
    due = next_due(period, after, ZoneInfo(zone))
    assert due > after
    assert (due - after).days <= {"hourly": 0, "daily": 1, "weekly": 8}[period]
    if period == MailPeriod.WEEKLY:
        assert (due.date() - week_told(due)).days in {7, 8}
