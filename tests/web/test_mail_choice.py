"""Choosing what comes by e-mail, at the foot of one's notices."""

import pytest

from conversations.models import Activity, MailDigest

PAGE = "/w/acme/notices/"


def chosen():
    return sorted(MailDigest.objects.values_list("kind", "period"))


def test_choice_is_saved_shown_and_taken_back(bob):
    bob.post(f"{PAGE}mail/", {"period": "daily", "weekly": "1"})

    assert chosen() == [("notices", "daily"), ("week", "weekly")]
    html = bob.get(PAGE).content.decode()
    assert 'value="daily" checked' in html
    assert 'name="weekly" value="1" checked' in html
    assert Activity.objects.filter(action="mail.chosen").count() == 1
    bob.post(f"{PAGE}mail/", {"period": ""})
    assert chosen() == []


def test_same_choice_again_leaves_what_is_due(bob):
    bob.post(f"{PAGE}mail/", {"period": "daily"})
    MailDigest.objects.update(attempts=3, failure="The mail server could not be reached.")
    bob.post(f"{PAGE}mail/", {"period": "daily"})
    assert MailDigest.objects.get().attempts == 3


@pytest.mark.parametrize("period", ["weekly", "x", "hourly\0"])
def test_unknown_period_is_refused_in_words(bob, period):
    bob.post(f"{PAGE}mail/", {"period": period})
    assert chosen() == []
    assert "every hour, every day, or never" in bob.get(PAGE).content.decode()


def test_page_says_why_nothing_can_be_sent(bob, settings):
    assert "OBSERVATORY_EMAIL_HOST is not set" in bob.get(PAGE).content.decode()
    settings.EMAIL_HOST, settings.PUBLIC_URL = "mail.example.org", "https://observatory.example.org"
    assert "Nothing can be sent" not in bob.get(PAGE).content.decode()


def test_failure_is_shown_to_the_person_and_admins_and_nobody_else(bob, alice, victor):
    bob.post(f"{PAGE}mail/", {"period": "daily"})
    MailDigest.objects.update(failure="The mail server refused it (451).", attempts=2)

    assert "Your notices e-mail could not be sent." in bob.get(PAGE).content.decode()
    assert "Bob: The mail server refused it (451). 2 attempts." in alice.get(PAGE).content.decode()
    assert "451" not in victor.get(PAGE).content.decode()
