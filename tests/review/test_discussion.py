"""Mentions, and what opening, answering, resolving and removing leave behind."""

import pytest

from conversations.errors import BadInput, Conflict
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


def test_reply_tells_those_who_take_part_and_are_members_still(acme):
    ann, bo, cleo, dora, emil = (create_reviewer(acme, name) for name in ("ann", "bo", "cleo", "dora", "emil"))
    thread = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "Look").thread
    discussion.add_comment(thread, bo, "I see")
    discussion.remove(discussion.add_comment(thread, dora, "Oh"), dora)
    discussion.add_comment(thread, emil, "Hm")
    acme.memberships.get(user=emil).delete()
    discussion.assign(thread, ann, cleo)
    Notice.objects.all().delete()

    comment = discussion.add_comment(thread, bo, "@Ann what now?")
    discussion.edit(comment, bo, "@Ann, what now?", seen=comment.revision)

    told = {(notice.user.name, notice.kind) for notice in Notice.objects.select_related("user")}
    assert told == {("Ann", "mention"), ("Cleo", "reply")}
    assert Notice.objects.count() == 2


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


def test_edited_comment_tells_only_whom_the_new_words_mention(acme):
    ann, bo, cy = (create_reviewer(acme, name) for name in ("ann", "bo", "cy"))
    comment = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "@Bo look")

    discussion.edit(comment, ann, "@Bo and @Cy look", seen=1)

    comment.refresh_from_db()
    assert (comment.text, comment.revision, comment.edited_at is not None) == ("@Bo and @Cy look", 2, True)
    assert list(Notice.objects.order_by("id").values_list("user", flat=True)) == [bo.pk, cy.pk]
    assert Activity.objects.filter(workspace=acme, action="comment.edited", user=ann).count() == 1


def test_edit_of_words_that_are_no_longer_stored_changes_nothing(acme):
    ann = create_reviewer(acme, "ann")
    comment = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "One")
    discussion.edit(comment, ann, "Two", seen=1)

    with pytest.raises(Conflict):
        discussion.edit(comment, ann, "Three", seen=1)
    discussion.remove(comment, ann)
    with pytest.raises(Conflict):
        discussion.edit(comment, ann, "Three", seen=3)

    comment.refresh_from_db()
    assert comment.text == ""


def test_assignment_is_told_to_whom_it_is_given_each_time(acme):
    ann, bo = create_reviewer(acme, "ann"), create_reviewer(acme, "bo")
    thread = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "Look").thread

    for assignee in (bo, bo, ann, None, bo):
        discussion.assign(thread, ann, assignee)

    notices = Notice.objects.filter(kind="assignment")
    assert [notice.user for notice in notices] == [bo, bo]
    assert notices[0].url == f"{thread.compaction.get_absolute_url()}#thread-{thread.pk}"
    assert Activity.objects.filter(workspace=acme, action="thread.assigned").count() == 4


def test_thread_is_not_assigned_to_who_may_not_write_in_it(acme, globex):
    ann, viewer = create_reviewer(acme, "ann"), create_reviewer(acme, "vi", role="viewer")
    outsider = create_reviewer(globex, "out")
    thread = discussion.open_thread(create_compaction(create_conversation(acme)), ann, "Look").thread

    assert discussion.assignable(thread) == [ann]
    for person in (viewer, outsider):
        with pytest.raises(BadInput):
            discussion.assign(thread, ann, person)
    thread.refresh_from_db()
    assert thread.assignee is None
