"""The discussion on a compaction's page: who reads, who writes, what hostile words become."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Comment
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_comment, create_item, create_queue
from tests.web.audited import create_audit, create_finding


@pytest.fixture
def compaction(acme):
    row = create_compaction(create_conversation(acme))
    create_finding(row)
    create_audit(row)
    return row


def test_comment_is_shown_and_its_markdown_is_harmless(compaction, bob, victor):
    page = compaction.get_absolute_url()
    words = "**bold** <script>alert(1)</script> [x](javascript:alert(1)) ![i](https://example.org/i.png)"

    answer = bob.post(f"{page}discussion/", {"text": words})

    comment = Comment.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{page}#comment-{comment.pk}")
    html = victor.get(page).content.decode()
    panel = html[html.index('id="discussion"') :]
    assert "<strong>bold</strong>" in panel
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<img" not in panel
    assert "<textarea" not in panel[: panel.index("</section>")]


def test_thread_on_a_fact_says_which(compaction, bob):
    page = compaction.get_absolute_url()
    form = bob.get(f"{page}?fact=1&discuss=1").content.decode()
    assert '<input type="hidden" name="fact" value="fact-1">' in form

    bob.post(f"{page}discussion/?fact=1", {"text": "Why?", "fact": "fact-1"})

    thread = Comment.objects.get().thread
    assert (thread.fact_id, thread.about) == ("fact-1", "Fact number 1.")


def test_reply_resolve_and_removal(compaction, bob, alice):
    page = compaction.get_absolute_url()
    first = create_comment(compaction)

    bob.post(f"{page}discussion/", {"text": "So?", "thread": first.thread_id})
    bob.post(f"/w/acme/discussion/{first.thread_id}/resolve/")

    assert first.thread.comments.count() == 2
    first.thread.refresh_from_db()
    assert first.thread.resolved_at is not None
    assert bob.post(f"/w/acme/discussion/comments/{first.pk}/remove/").status_code == 403
    alice.post(f"/w/acme/discussion/comments/{first.pk}/remove/")
    assert "This comment was removed." in bob.get(page).content.decode()


def test_who_judges_blindly_sees_nothing_of_it(acme, compaction, bob):
    item = create_item(create_queue(acme, blind=True), compaction)
    thread = create_comment(compaction, "harmful, clearly").thread
    page = compaction.get_absolute_url()
    query = f"?queue={item.queue_id}&item={item.pk}"

    assert "harmful, clearly" not in bob.get(page + query).content.decode()
    assert bob.post(f"{page}discussion/{query}", {"text": "Hm", "thread": thread.pk}).status_code == 403


def test_empty_comment_is_refused_in_words(compaction, bob):
    page = compaction.get_absolute_url()

    bob.post(f"{page}discussion/", {"text": " "})

    assert "A comment has 1 to 20,000 characters." in bob.get(page).content.decode()
    assert not Comment.objects.exists()


def test_page_runs_as_many_queries_for_three_comments_as_for_one(compaction, bob):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert bob.get(compaction.get_absolute_url()).status_code == 200
        return len(captured)

    first = create_comment(compaction)
    queries()
    one = queries()
    create_comment(compaction)
    create_comment(compaction, thread=first.thread)

    assert queries() == one
    assert one <= 14
