"""When a digest is due: on the hour, in the morning of its reader, or in the morning after a week has ended."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from conversations.vocabulary import MailPeriod

MORNING = time(8)
_DAY = timedelta(days=1)


def next_due(period: MailPeriod, after: datetime, zone: tzinfo) -> datetime:
    """The first time after `after`, in UTC. A week ends on Monday, 00:00 UTC: east of UTC the morning after may be
    Tuesday's."""
    if period == MailPeriod.HOURLY:
        return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if period == MailPeriod.DAILY:
        return _morning_after(after, zone)
    ended = _week_of(after)
    this_week = _morning_after(ended - timedelta(microseconds=1), zone)
    return this_week if this_week > after else _morning_after(ended + 7 * _DAY - timedelta(microseconds=1), zone)


def week_told(due_at: datetime) -> date:
    """The Monday of the week that a weekly digest due then tells of."""
    return (_week_of(due_at) - 7 * _DAY).date()


def _week_of(at: datetime) -> datetime:
    today = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    return today - today.weekday() * _DAY


def _morning_after(at: datetime, zone: tzinfo) -> datetime:
    day = at.astimezone(zone).date()
    morning = datetime.combine(day, MORNING, zone)
    if morning <= at:
        morning = datetime.combine(day + _DAY, MORNING, zone)
    return morning.astimezone(UTC)
