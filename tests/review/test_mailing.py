"""Digests through Django's SMTP backend to a mail server: what they say, once, and what becomes of failures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.models import MailDigest, Membership, Notice, User
from conversations.people.notices import notify
from conversations.review import mailing
from conversations.review.mail_choice import choose, mail_problem
from conversations.vocabulary import MailPeriod
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_reviewer
from tests.standin.smtp import MailServer
from tests.web.audited import create_audit, create_finding

NOW = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)  # a Monday
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def server(settings):
    with MailServer() as mail_server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_server.port, False
        settings.DEFAULT_FROM_EMAIL = "observatory@example.org"
        settings.PUBLIC_URL = "https://observatory.example.org"
        yield mail_server


@pytest.fixture
def dora(acme):
    return create_reviewer(acme, "dora")


def told(workspace, user, key="1", kind="mention", text="Alice mentioned you.", at=NOW):
    notify(workspace=workspace, users=[user], kind=kind, text=text, url="/w/acme/", key=key)
    Notice.objects.filter(key=key).update(at=at + timedelta(minutes=1))


def wants(workspace, user, period=MailPeriod.HOURLY, *, weekly=False):
    choose(workspace, user, period=period, weekly=weekly, now=NOW)
    return MailDigest.objects.get(user=user)


def send_due(now=LATER):
    for pk in mailing.due_mails(now):
        mailing.send(pk, lambda: now)


def test_all_notices_come_in_one_mail_and_once(acme, dora, server):
    wants(acme, dora)
    told(acme, dora, "1")
    told(acme, dora, "2", text="Bob assigned you a thread.")

    send_due()
    send_due(LATER + timedelta(hours=2))

    assert server.receivers == [dora.email]
    (mail,) = server.messages
    body = mail.get_payload(decode=True).decode()
    notice = Notice.objects.get(key="1")
    assert mail["Subject"] == "Acme: 2 notices"
    assert "Alice mentioned you." in body
    assert "Bob assigned you a thread." in body
    assert f"https://observatory.example.org/w/acme/notices/open/?notice={notice.pk}" in body
    assert mail["Auto-Submitted"] == "auto-generated"
    assert notice.mailed_at == LATER


@pytest.mark.parametrize("how", ["read", "before", "after_due", "other_workspace"])
def test_what_is_not_told(acme, globex, dora, server, how):
    wants(acme, dora)
    told(globex if how == "other_workspace" else acme, dora, at=NOW - timedelta(days=1) if how == "before" else NOW)
    if how == "read":
        Notice.objects.update(read_at=NOW)
    if how == "after_due":
        Notice.objects.update(at=LATER)

    send_due()

    assert server.messages == []
    assert MailDigest.objects.get().due_at > LATER


def test_words_of_conversations_stay_here(acme, dora, server):
    wants(acme, dora)
    told(acme, dora, kind="incident", text="Never write to ledger_v1 was forgotten")

    send_due()

    body = server.messages[0].get_payload(decode=True).decode()
    assert "ledger_v1" not in body
    assert "An alert fired" in body


def test_two_schedulers_send_it_once(acme, dora, server):
    digest = wants(acme, dora)
    told(acme, dora)
    both = [mailing.due_mails(LATER), mailing.due_mails(LATER)]

    for pk in [*both[0], *both[1]]:
        mailing.send(pk, lambda: LATER)

    assert both == [[digest.pk], [digest.pk]]
    assert len(server.messages) == 1


def test_claim_of_a_process_holds_until_it_has_run_out(acme, dora, server):
    digest = wants(acme, dora)
    told(acme, dora)
    MailDigest.objects.update(claimed_until=LATER + mailing.CLAIM)  # as a process does that is killed while it sends

    send_due()
    mailing.send(digest.pk, lambda: LATER)
    assert server.messages == []
    send_due(LATER + mailing.CLAIM)

    assert len(server.messages) == 1


def test_mail_that_may_have_been_taken_comes_again_under_the_same_id(acme, dora, server):
    wants(acme, dora)
    told(acme, dora)
    server.ends_after_data = True
    send_due()
    server.ends_after_data = False

    send_due(LATER + timedelta(hours=1))

    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert MailDigest.objects.get().failure == ""


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"RCPT": "550 no dora@example.org here"}, "does not take mail to this address (550)"),
        ({"MAIL": "451 secret reason"}, "refused it (451)"),
        ({"MAIL": ""}, "broke off"),
    ],
)
def test_failure_is_said_in_our_words_and_tried_again(acme, dora, server, answers, words):
    wants(acme, dora)
    told(acme, dora)
    server.answers = answers

    send_due()

    digest = MailDigest.objects.get()
    assert words in digest.failure
    assert "dora" not in digest.failure
    assert "secret" not in digest.failure
    assert (digest.attempts, digest.claimed_until) == (1, LATER + timedelta(minutes=1))
    server.answers = {}
    send_due(LATER + timedelta(minutes=1))
    digest.refresh_from_db()
    assert (len(server.messages), digest.failure, digest.attempts) == (1, "", 0)


def test_server_that_is_away_is_said(acme, dora, server, settings, caplog):
    wants(acme, dora)
    told(acme, dora)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "observatory", "correct-horse"
    server.answers = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "535 wrong correct-horse"}

    send_due()

    assert MailDigest.objects.get().failure == "The mail server refused our user or password (535)."
    assert "correct-horse" not in caplog.text
    settings.EMAIL_PORT = 1
    send_due(LATER + timedelta(hours=1))
    assert MailDigest.objects.get().failure == "The mail server could not be reached."


@pytest.mark.parametrize("gone", ["member", "active"])
def test_who_may_not_come_in_gets_none(acme, dora, server, gone):
    wants(acme, dora)
    told(acme, dora)
    if gone == "member":
        Membership.objects.filter(user=dora).delete()
    else:
        User.objects.filter(pk=dora.pk).update(is_active=False)

    send_due()

    assert server.messages == []
    assert not MailDigest.objects.exists()


def test_weekly_digest_tells_figures_and_links_of_the_week_before(acme, dora, server):
    compaction = create_compaction(create_conversation(acme, title="Secret plan"), at=NOW - timedelta(days=3))
    create_finding(compaction, text="never write to ledger_v1", harmful=True)
    create_audit(compaction, harmful=1)
    wants(acme, dora, None, weekly=True)

    send_due(NOW + timedelta(days=1))

    (mail,) = server.messages
    body = mail.get_payload(decode=True).decode()
    assert mail["Subject"] == "Acme: week 2026-W47"
    assert "Compactions: 1 (the week before: 0)" in body
    assert f"https://observatory.example.org{compaction.get_absolute_url()}" in body
    assert "https://observatory.example.org/w/acme/review/digest/2026-W47/" in body
    assert "ledger_v1" not in body
    assert "Secret plan" not in body


def test_nothing_is_tried_without_a_server_or_an_address(acme, dora, settings):
    wants(acme, dora)
    assert "OBSERVATORY_EMAIL_HOST" in mail_problem()
    settings.EMAIL_HOST = "mail.example.org"
    assert "OBSERVATORY_PUBLIC_URL" in mail_problem()
    assert mailing.due_mails(LATER) == []


def test_the_timetable_sends_it(acme, dora, server):
    wants(acme, dora)
    told(acme, dora)
    now = timezone.now()
    Notice.objects.update(at=now - timedelta(minutes=2))
    MailDigest.objects.update(since=now - timedelta(days=1), due_at=now - timedelta(minutes=1))

    tasks.send_mails()

    assert len(server.messages) == 1
