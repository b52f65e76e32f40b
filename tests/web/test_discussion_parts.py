"""A discussion with scripts: only the piece that changed is answered, and a refusal leaves the form as it is."""

import pytest

from conversations.models import Comment, Thread, User
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_comment, create_item, create_queue

MINE = "/w/acme/discussion/"
SCRIPT = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def compaction(acme):
    return create_compaction(create_conversation(acme))


@pytest.fixture
def his(bob):
    return User.objects.get(pk=bob.session["_auth_user_id"])


def test_reply_answers_what_was_said_since_and_an_empty_field(compaction, bob):
    first = create_comment(compaction, "First")
    other = create_comment(compaction, "Meanwhile", thread=first.thread)

    sent = {"text": "So?", "thread": first.thread_id, "after": first.pk}
    answer = bob.post(f"{compaction.get_absolute_url()}discussion/", sent, **SCRIPT)

    html = answer.content.decode()
    last = Comment.objects.latest("id")
    assert answer.status_code == 200
    assert [f'id="comment-{pk}"' in html for pk in (first.pk, other.pk, last.pk)] == [False, True, True]
    assert f'name="after" value="{last.pk}"' in html
    assert "<html" not in html
    assert "So?</textarea>" not in html


def test_reply_to_a_resolved_thread_says_beside_that_it_is_open(compaction, bob):
    first = create_comment(compaction)
    bob.post(f"{MINE}{first.thread_id}/resolve/")

    sent = {"text": "Not yet", "thread": first.thread_id, "after": first.pk}
    html = bob.post(f"{compaction.get_absolute_url()}discussion/", sent, **SCRIPT).content.decode()

    state = html[html.index(f'id="thread-{first.thread_id}-state"') :]
    assert state.startswith(f'id="thread-{first.thread_id}-state" class="row" hx-swap-oob="true"')
    assert "resolved" not in state
    assert "Resolve" in state


def test_new_thread_comes_with_the_form_for_the_next(compaction, bob):
    html = bob.post(f"{compaction.get_absolute_url()}discussion/", {"text": "Why?"}, **SCRIPT).content.decode()

    thread = Thread.objects.get()
    assert f'id="thread-{thread.pk}"' in html
    assert 'id="begin-thread"' in html
    assert "Nobody has said anything yet." not in html


@pytest.mark.parametrize("in_thread", [True, False])
def test_refused_comment_answers_the_error_and_not_the_form(compaction, bob, in_thread):
    thread = create_comment(compaction).thread
    sent = {"text": " ", "thread": thread.pk} if in_thread else {"text": " "}

    answer = bob.post(f"{compaction.get_absolute_url()}discussion/", sent, **SCRIPT)

    assert answer.status_code == 422
    assert answer["HX-Retarget"] == (f"#thread-{thread.pk}-error" if in_thread else "#say-error")
    assert answer["HX-Reswap"] == "innerHTML"
    assert "A comment has 1 to 20,000 characters." in answer.content.decode()
    assert "textarea" not in answer.content.decode()


def test_resolving_answers_the_state_alone(compaction, bob):
    thread = create_comment(compaction, "Words").thread

    html = bob.post(f"{MINE}{thread.pk}/resolve/", **SCRIPT).content.decode()

    assert "resolved" in html
    assert "Open again" in html
    assert "Words" not in html


def test_removing_answers_the_comment_alone(compaction, alice):
    first = create_comment(compaction, "Words")

    html = alice.post(f"{MINE}comments/{first.pk}/remove/", **SCRIPT).content.decode()

    assert "This comment was removed." in html
    assert "textarea" not in html


def test_assigning_takes_the_place_of_the_link(compaction, bob, his):
    thread = create_comment(compaction).thread
    url = f"{MINE}{thread.pk}/assign/"

    form = bob.get(url, **SCRIPT).content.decode()
    refused = bob.post(url, {"assignee": "0"}, **SCRIPT)
    cancelled = bob.get(f"{url}?cancel=1", **SCRIPT).content.decode()
    done = bob.post(url, {"assignee": his.pk}, **SCRIPT).content.decode()

    assert "<select" in form
    assert "<html" not in form
    assert (refused.status_code, refused["HX-Retarget"]) == (422, f"#thread-{thread.pk}-assignee-error")
    assert "<select" not in cancelled
    assert f"assigned to {his}" in done


def test_editing_takes_the_place_of_the_comment(compaction, bob, his):
    comment = create_comment(compaction, "First", author=his)
    url = f"{MINE}comments/{comment.pk}/edit/"

    form = bob.get(url, **SCRIPT).content.decode()
    refused = bob.post(url, {"text": " ", "revision": "1"}, **SCRIPT)
    cancelled = bob.get(f"{url}?cancel=1", **SCRIPT).content.decode()
    done = bob.post(url, {"text": "Second", "revision": "1"}, **SCRIPT).content.decode()
    stale = bob.post(url, {"text": "Mine", "revision": "1"}, **SCRIPT)

    assert "First</textarea>" in form
    assert (refused.status_code, refused["HX-Retarget"]) == (422, f"#comment-{comment.pk}-error")
    assert "textarea" not in cancelled
    assert "<p>Second</p>" in done
    assert (stale.status_code, "HX-Retarget" in stale.headers) == (409, False)
    assert "Mine</textarea>" in stale.content.decode()
    assert "<p>Second</p>" in stale.content.decode()
    assert 'name="revision" value="2"' in stale.content.decode()


def test_who_judges_blindly_cannot_remove_either(acme, compaction, bob, his):
    item = create_item(create_queue(acme, blind=True), compaction)
    comment = create_comment(compaction, author=his)
    query = f"?queue={item.queue_id}&item={item.pk}"

    assert bob.post(f"{MINE}comments/{comment.pk}/remove/{query}").status_code == 403
    comment.refresh_from_db()
    assert comment.deleted_at is None
