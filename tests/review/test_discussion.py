"""Mentions, and what opening, answering, resolving and removing leave behind."""

import pytest

from conversations.errors import BadInput
from conversations.models import Activity, Comment, Notice
from conversations.review import discussion
from conversations.review.mentions import mentioned
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_reviewer

PEOPLE = [(1, "Ann", "ann@example.org"), (2, "Ann Lee", "lee@example.org"), (3, "", "bo@example.org")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Ann, look", {1}),
        ("@ann lee and @ANN", {1, 2}),
        ("@Ann Lee.", {2}),
        ("ask @bo@example.org.", {3}),
        ("bo@example.org", set()),
        ("@Anna", set()),
        ("x@ann", set()),
        ("@ann@elsewhere.org", set()),
        ("nobody", set()),
    ],
)
def test_mentioned_are_named_whole_and_longest_first(text, found):
    assert mentioned(text, PEOPLE) == found


def test_mentioned_without_people_is_nobody():
    assert mentioned("@", []) == set()


def test_mention_tells_each_member_once_with_a_permalink(acme):
    ann, bo = create_reviewer(acme, "ann"), create_reviewer(acme, "bo")
    compaction = create_compaction(create_conversation(acme))

    comment = discussion.open_thread(compaction, ann, "@Bo @bo@example.org @Ann see")

    notice = Notice.objects.get(kind="mention")
    assert (notice.user, notice.url) == (bo, f"{compaction.get_absolute_url()}#comment-{comment.pk}")
    assert Activity.objects.filter(workspace=acme, action="comment.added", user=ann).count() == 1


def test_comment_opens_a_resolved_thread_again(acme):
    ann = create_reviewer(acme, "ann")
    thread = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "Look").thread
    discussion.resolve(thread, ann)
    assert thread.resolved_by == ann

    discussion.add_comment(thread, ann, "Not so fast")

    thread.refresh_from_db()
    assert (thread.resolved_at, thread.resolved_by) == (None, None)


@pytest.mark.parametrize("text", ["", " \n", "\0", "x" * (discussion.LONGEST + 1)])
def test_comment_says_something_of_a_readable_length(acme, text):
    ann = create_reviewer(acme, "ann")

    with pytest.raises(BadInput):
        discussion.open_thread(create_compaction(create_conversation(acme)), ann, text)

    assert not Comment.objects.exists()


def test_removed_comment_loses_its_words_and_deleted_author_keeps_the_name(acme):
    ann = create_reviewer(acme, "ann")
    compaction = create_compaction(create_conversation(acme))
    gone = discussion.open_thread(compaction, ann, "a secret")
    kept = discussion.add_comment(gone.thread, ann, "stays")

    discussion.remove(gone, ann)
    ann.delete()

    gone.refresh_from_db()
    kept.refresh_from_db()
    assert (gone.text, gone.deleted_at is None) == ("", False)
    assert (kept.text, kept.author, kept.author_name) == ("stays", None, "Ann")
