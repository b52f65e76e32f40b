"""Digests by e-mail: which are due, and each sent by one process at a time.

A digest is claimed, sent, and then noted as sent. Two processes never send the same one at once. One that dies before
it is noted is sent again after its claim has run out: nothing is lost, and what the mail server had taken already
comes a second time with the same Message-ID, by which many mailboxes show it once.
"""

import logging
import smtplib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, Q

from conversations.models import MailDigest, Membership, Notice
from conversations.people.mail_times import next_due
from conversations.review.mail_choice import mail_problem, zone_of
from conversations.review.mail_words import MOST_TOLD, absolute, notices_text, week_text
from conversations.vocabulary import MailKind, MailPeriod

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=300)  # longer than a job may take
MOST_AT_ONCE = 500  # digests that are begun in a minute
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


def due_mails(now: datetime) -> list[int]:
    """Digests that nobody is at; none where this server cannot send."""
    if mail_problem():
        return []
    rows = MailDigest.objects.filter(_free(now), due_at__lte=now)
    return list(rows.order_by("due_at", "id").values_list("id", flat=True)[:MOST_AT_ONCE])


def _free(now: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=now)


def send(digest_id: int, clock: Callable[[], datetime]) -> None:
    """Send one that is due, unless another process is at it. What goes wrong is kept, and tried again."""
    now = clock()
    claimed = MailDigest.objects.filter(_free(now), pk=digest_id, due_at__lte=now).update(claimed_until=now + CLAIM)
    if not claimed or mail_problem():
        return
    digest = MailDigest.objects.select_related("workspace", "user").get(pk=digest_id)
    if not _may_have(digest):
        digest.delete()
        return
    told, message = _message(digest)
    try:
        if message:
            _post(message)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        _note_failure(digest, error, clock())
    else:
        _note_sent(digest, told, clock(), was_sent=message is not None)


def _may_have(digest: MailDigest) -> bool:
    here = Membership.objects.filter(workspace=digest.workspace, user=digest.user)
    return digest.user.is_active and here.exists()


def _message(digest: MailDigest) -> tuple[list[int], EmailMessage | None]:
    """The notices it tells of, and the mail; None where nothing happened."""
    if digest.kind == MailKind.WEEK:
        return [], _mail(digest, *week_text(digest))
    rows = Notice.objects.filter(workspace=digest.workspace, user=digest.user, mailed_at=None, read_at=None)
    waiting = list(rows.filter(at__gte=digest.since, at__lt=digest.due_at).order_by("id"))
    if not waiting:
        return [], None
    shown = waiting[:MOST_TOLD]
    return [each.pk for each in waiting], _mail(digest, *notices_text(digest, shown, len(waiting) - len(shown)))


def _mail(digest: MailDigest, subject: str, body: str) -> EmailMessage:
    host = urlsplit(settings.PUBLIC_URL).hostname
    headers = {
        "Message-ID": f"<digest-{digest.pk}-{digest.due_at:%Y%m%d%H%M%S}@{host}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{absolute(f'/w/{digest.workspace.slug}/notices/')}>",
    }
    return EmailMessage(" ".join(subject.split()), body, to=[digest.user.email], headers=headers)


def _post(message: EmailMessage) -> None:
    """By Django's backend; it leaves the connection open where a server refuses our password."""
    with closing(get_connection()) as connection:
        connection.send_messages([message])


@transaction.atomic
def _note_sent(digest: MailDigest, told: list[int], now: datetime, *, was_sent: bool) -> None:
    """Only of the one that was claimed: meanwhile its reader may have chosen otherwise."""
    Notice.objects.filter(workspace=digest.workspace, pk__in=told).update(mailed_at=now)
    due_at = next_due(MailPeriod(digest.period), now, zone_of(digest.user))
    noted = {"due_at": due_at, "claimed_until": None, "attempts": 0, "failure": ""}
    if was_sent:
        noted["sent_at"] = now
    MailDigest.objects.filter(pk=digest.pk, due_at=digest.due_at, period=digest.period).update(**noted)
    log.info("digest noted digest=%s kind=%s sent=%s", digest.pk, digest.kind, was_sent)


def _note_failure(digest: MailDigest, error: Exception, now: datetime) -> None:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(digest.attempts, 10))
    rows = MailDigest.objects.filter(pk=digest.pk, due_at=digest.due_at)
    rows.update(claimed_until=now + pause, attempts=F("attempts") + 1, failure=failure_of(error))
    log.warning("digest not sent digest=%s error=%s", digest.pk, type(error).__name__)


def failure_of(error: Exception) -> str:
    """In words of ours: what a mail server answers may hold addresses, or what it was told."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refused our user or password ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = ", ".join(str(code) for code, _ in error.recipients.values())
        return f"The mail server does not take mail to this address ({codes})."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server refused it ({error.smtp_code})."
    if isinstance(error, ValueError):
        return "No e-mail can be made out to this address."
    if isinstance(error, smtplib.SMTPException):
        return "The mail server broke off, or does not speak as it was set up to."
    return "The mail server could not be reached."
