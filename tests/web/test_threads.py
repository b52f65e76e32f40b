"""Assigning threads, the list of one's own, and changing a comment: pages that work without a script."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Thread, User
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_comment, create_item, create_queue

MINE = "/w/acme/discussion/"


@pytest.fixture
def compaction(acme):
    return create_compaction(create_conversation(acme))


@pytest.fixture
def his(bob):
    return User.objects.get(pk=bob.session["_auth_user_id"])


def test_assigned_thread_says_whose_it_is_and_is_in_their_list(compaction, bob, his, alice):
    thread = create_comment(compaction, "Nobody else's business").thread

    answer = alice.post(f"{MINE}{thread.pk}/assign/", {"assignee": his.pk})

    page = compaction.get_absolute_url()
    assert (answer.status_code, answer["Location"]) == (303, f"{page}#thread-{thread.pk}")
    assert f"assigned to {his}" in bob.get(page).content.decode()
    html = bob.get(MINE).content.decode()
    assert f"{page}#thread-{thread.pk}" in html
    assert "business" not in html
    assert f"#thread-{thread.pk}" not in alice.get(MINE).content.decode()
    bob.post(f"{MINE}{thread.pk}/resolve/")
    assert f"#thread-{thread.pk}" not in bob.get(MINE).content.decode()
    assert f"#thread-{thread.pk}" in bob.get(f"{MINE}?resolved=1").content.decode()


@pytest.mark.parametrize("key", ["0", "x", "99999999999999999999"])
def test_unknown_assignee_is_refused_on_the_page(compaction, bob, key):
    thread = create_comment(compaction).thread

    answer = bob.post(f"{MINE}{thread.pk}/assign/", {"assignee": key})

    assert answer.status_code == 422
    assert "Threads are assigned to members who may review." in answer.content.decode()


def test_changed_comment_shows_its_words_and_that_it_was_edited(compaction, bob, his):
    comment = create_comment(compaction, "First", author=his)
    form = bob.get(f"{MINE}comments/{comment.pk}/edit/").content.decode()
    assert '<input type="hidden" name="revision" value="1">' in form

    bob.post(f"{MINE}comments/{comment.pk}/edit/", {"text": "Second", "revision": "1"})

    html = bob.get(compaction.get_absolute_url()).content.decode()
    assert "Second" in html
    assert "edited" in html[html.index(f'id="comment-{comment.pk}"') :]


@pytest.mark.parametrize(
    ("text", "revision"), [("typed at length", "0"), ("typed at length" + " " * 9 + "x" * 20_000, "1")]
)
def test_refused_change_loses_nothing_that_was_typed(compaction, bob, his, text, revision):
    comment = create_comment(compaction, "What is stored", author=his)

    answer = bob.post(f"{MINE}comments/{comment.pk}/edit/", {"text": text, "revision": revision})

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "typed at length" in html
    assert 'name="revision" value="1"' in html
    comment.refresh_from_db()
    assert comment.text == "What is stored"


def test_comments_of_others_are_not_changed_even_by_owners(compaction, alice, his):
    comment = create_comment(compaction, author=his)

    assert alice.post(f"{MINE}comments/{comment.pk}/edit/", {"text": "x", "revision": "1"}).status_code == 403


def test_who_judges_blindly_neither_assigns_nor_edits(acme, compaction, bob, his):
    item = create_item(create_queue(acme, blind=True), compaction)
    comment = create_comment(compaction, author=his)
    query = f"?queue={item.queue_id}&item={item.pk}"

    assert bob.get(f"{MINE}{comment.thread_id}/assign/{query}").status_code == 403
    assert bob.get(f"{MINE}comments/{comment.pk}/edit/{query}").status_code == 403


def test_list_runs_as_many_queries_for_three_threads_as_for_one(acme, bob, his):
    def queries(rows):
        compaction = create_compaction(create_conversation(acme))
        Thread.objects.bulk_create(Thread(workspace=acme, compaction=compaction, assignee=his) for _ in range(rows))
        with CaptureQueriesContext(connection) as captured:
            assert bob.get(MINE).status_code == 200
        return len(captured)

    queries(1)
    one = queries(0)

    assert queries(2) == one
    assert one <= 12
