"""What a digest says, as plain text. Nothing of a conversation leaves by it: neither titles, facts nor comments."""

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse

from conversations.models import MailDigest, Notice
from conversations.people.mail_times import week_told
from conversations.review.digest import QueueWeek, Trend, digest_of

#: Notices that are told one by one; the others are counted.
MOST_TOLD = 50
#: Sentences of ours, with the names of people and numbers. Of other kinds a mail says only that they are there: an
#: incident may name a conversation, or words that somebody said in it.
_OWN_WORDS = frozenset({"mention", "assignment", "reply"})
_OTHERWISE = {"incident": "An alert fired, changed or was resolved.", "channel": "An alert channel needs you."}


def absolute(path: str) -> str:
    """With the public address of this server."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def notices_text(digest: MailDigest, notices: Sequence[Notice], left_out: int) -> tuple[str, str]:
    """(subject, body): each notice with its link."""
    count = len(notices) + left_out
    subject = f"{digest.workspace}: {count:,} {'notice' if count == 1 else 'notices'}"
    lines = [f"{_sentence(each)}\n{_link(digest, each)}" for each in notices]
    if left_out:
        lines.append(f"And {left_out:,} more.")
    return subject, _letter(digest, lines)


def _sentence(notice: Notice) -> str:
    words = notice.text if notice.kind in _OWN_WORDS else _OTHERWISE.get(notice.kind, "There is something to look at.")
    return " ".join(words.split())


def _link(digest: MailDigest, notice: Notice) -> str:
    return absolute(f"{reverse('open_notice', args=[digest.workspace.slug])}?notice={notice.pk}")


def week_text(digest: MailDigest) -> tuple[str, str]:
    """(subject, body): the figures of the week that ended, the numbers of compactions that lost something that did
    harm, and how far queues came."""
    monday = week_told(digest.due_at)
    week = digest_of(digest.workspace, monday, digest.user_id)
    year, number, _ = monday.isocalendar()
    lines = ["\n".join(_trend(trend) for trend in week.trends)]
    if week.harmful:
        paths = [each.compaction.get_absolute_url() for each in week.harmful]
        lines.append("\n".join(["Losses that did harm:", *(absolute(path) for path in paths)]))
    if week.queues:
        lines.append("\n".join(_queue(each) for each in week.queues))
    lines.append(f"The whole week:\n{absolute(reverse('digest_of_week', args=[digest.workspace.slug, year, number]))}")
    return f"{digest.workspace}: week {year}-W{number:02}", _letter(digest, lines)


def _queue(week: QueueWeek) -> str:
    return f"{week.queue.name}: {week.handed_in:,} handed in, {week.waiting:,} waiting"


def _trend(trend: Trend) -> str:
    return f"{trend.name}: {_figure(trend.now, trend)} (the week before: {_figure(trend.before, trend)})"


def _figure(value: float | None, trend: Trend) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if trend.is_share else f"{value:,.0f}"


def _letter(digest: MailDigest, lines: Sequence[str]) -> str:
    choice = absolute(reverse("notices", args=[digest.workspace.slug]))
    foot = (
        f"-- \nYou chose this in the workspace {digest.workspace}. Change it, or have no more of it:\n{choice}#mail\n"
    )
    return "\n\n".join([*lines, foot])
