"""What people leave behind goes in time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.models import Session, SignInFailures, SignInLink, User
from conversations.people.purging import purge_sign_ins

pytestmark = pytest.mark.django_db
SOON, BEFORE = timedelta(seconds=30), timedelta(seconds=-1)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org")


@pytest.mark.parametrize(("left", "stays"), [(SOON, True), (BEFORE, False)])
def test_sessions_go_when_they_have_run_out(ada, left, stays):
    Session.objects.create(session_key="k", user=ada, expire_date=timezone.now() + left)
    assert purge_sign_ins() == (not stays)
    assert Session.objects.exists() is stays


@pytest.mark.parametrize(("left", "used", "stays"), [(SOON, False, True), (SOON, True, False), (BEFORE, False, False)])
def test_links_go_when_they_open_nothing_any_more(ada, left, used, stays):
    now = timezone.now()
    SignInLink.objects.create(user=ada, token_hash=b"h", expires_at=now + left, used_at=now if used else None)
    assert purge_sign_ins() == (not stays)
    assert SignInLink.objects.exists() is stays


def test_failures_go_when_they_are_forgiven():
    SignInFailures.objects.create(place=b"here", count=3, until=timezone.now() + SOON)
    SignInFailures.objects.create(place=b"there", count=3, until=timezone.now() + BEFORE)
    assert purge_sign_ins() == 1
    assert SignInFailures.objects.get().place == b"here"


def test_the_hourly_job_sees_to_it(ada):
    Session.objects.create(session_key="k", user=ada, expire_date=timezone.now() + BEFORE)
    tasks.purge()
    assert not Session.objects.exists()
