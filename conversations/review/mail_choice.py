"""Which digests a member wants by e-mail, and why there may be none."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction

from conversations.models import MailDigest, User, Workspace
from conversations.people.activity import record_activity
from conversations.people.mail_times import next_due
from conversations.vocabulary import MailKind, MailPeriod


def mail_problem() -> str:
    """Why this server cannot send any; empty where it can."""
    if not settings.EMAIL_HOST:
        return "This server has no mail server to send by: OBSERVATORY_EMAIL_HOST is not set."
    if not settings.PUBLIC_URL:
        return "Links in e-mails would lead nowhere: OBSERVATORY_PUBLIC_URL is not set."
    return ""


def zone_of(user: User) -> tzinfo:
    """The person's; UTC where their zone's name is known no more."""
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@transaction.atomic
def choose(workspace: Workspace, user: User, *, period: MailPeriod | None, weekly: bool, now: datetime) -> None:
    """From now on; None: no notices by e-mail. What is chosen already goes on as it was."""
    wanted = {MailKind.NOTICES: period, MailKind.WEEK: MailPeriod.WEEKLY if weekly else None}
    rows = {row.kind: row for row in MailDigest.objects.select_for_update().filter(workspace=workspace, user=user)}
    changed = {}
    for kind, wish in wanted.items():
        row = rows.get(kind)
        if (row.period if row else None) == wish:
            continue
        changed[kind.value] = [row.period if row else "off", wish.value if wish else "off"]
        _set(workspace, user, kind, wish, now)
    if changed:
        record_activity(workspace=workspace, actor=user, action="mail.chosen", target=user, detail=changed)


def _set(workspace: Workspace, user: User, kind: MailKind, period: MailPeriod | None, now: datetime) -> None:
    rows = MailDigest.objects.filter(workspace=workspace, user=user, kind=kind)
    if period is None:
        rows.delete()
        return
    due = {"period": period, "due_at": next_due(period, now, zone_of(user)), "claimed_until": None, "attempts": 0}
    if not rows.update(**due, failure=""):
        MailDigest.objects.create(workspace=workspace, user=user, kind=kind, since=now, **due)
