"""Who is looking at a compaction: members only, for half a minute, one row each."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Looking, Membership, User
from conversations.people.purging import purge_sign_ins
from tests.factories import create_compaction, create_conversation
from tests.people.rows import create_member
from tests.review.rows import create_item, create_queue


@pytest.fixture
def compaction(acme):
    return create_compaction(create_conversation(acme))


def poll(client, compaction, seen=None):
    query = "" if seen is None else f"?seen={seen}"
    return client.post(f"{compaction.get_absolute_url()}looking/{query}", headers={"HX-Request": "true"})


def test_page_asks_and_two_people_see_each_other(compaction, bob, victor):
    assert 'hx-trigger="every 10s, load"' in bob.get(compaction.get_absolute_url()).content.decode()
    assert "Looking at it now" not in poll(bob, compaction).content.decode()

    html = poll(victor, compaction).content.decode()

    assert "Bob" in html
    assert "Victor" not in html
    assert "Victor" in poll(bob, compaction).content.decode()


def test_answer_is_empty_while_the_same_people_look(compaction, bob, victor):
    poll(victor, compaction)
    viewer = Looking.objects.get().user_id

    assert poll(bob, compaction, seen="").status_code == 200
    assert poll(bob, compaction, seen=viewer).status_code == 204


@pytest.mark.parametrize(("seconds", "shown"), [(29, True), (31, False)])
def test_who_says_nothing_any_more_is_gone_after_half_a_minute(compaction, bob, victor, seconds, shown):
    poll(victor, compaction)
    Looking.objects.update(at=timezone.now() - timedelta(seconds=seconds))

    assert ("Victor" in poll(bob, compaction).content.decode()) is shown


def test_one_row_says_what_a_member_looked_at_last(compaction, bob, victor):
    other = create_compaction(compaction.conversation, number=2)
    poll(victor, compaction)
    poll(victor, other)

    assert Looking.objects.get().compaction_id == other.pk
    assert "Victor" not in poll(bob, compaction).content.decode()


def test_who_is_no_member_any_more_is_not_shown(acme, compaction, bob, victor):
    poll(victor, compaction)
    Membership.objects.filter(workspace=acme, role="viewer").delete()

    assert "Victor" not in poll(bob, compaction).content.decode()


def test_row_goes_with_the_person_the_compaction_and_the_hour(acme, compaction, bob, victor):
    poll(victor, compaction)
    User.objects.filter(pk=Looking.objects.get().user_id).delete()
    assert not Looking.objects.exists()
    poll(bob, compaction)
    assert purge_sign_ins() == 0
    Looking.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert purge_sign_ins() == 1
    poll(bob, compaction)
    compaction.delete()
    assert not Looking.objects.exists()


def test_who_judges_blindly_sees_names_and_nothing_else(acme, compaction, bob, victor):
    create_item(create_queue(acme, blind=True), compaction)
    poll(victor, compaction)

    html = poll(bob, compaction).content.decode()

    assert "Victor" in html
    assert len(html) < 700


def test_poll_runs_as_many_queries_for_three_people_as_for_one(acme, compaction, bob):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert poll(bob, compaction).status_code == 200
        return len(captured)

    def see(member):
        Looking.objects.create(workspace=acme, user=member.user, compaction=compaction, at=timezone.now())

    see(create_member(acme))
    queries()
    one = queries()
    see(create_member(acme))
    see(create_member(acme))

    assert queries() == one
    assert one <= 9
