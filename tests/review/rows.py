"""Queues, items and people for tests."""

from conversations.models import Comment, Membership, Queue, QueueItem, Thread, User
from conversations.review.services import open_review, save_review, submit
from tests.factories import create_compaction, create_conversation


def create_reviewer(workspace, name, role="reviewer"):
    user = User.objects.create_user(f"{name}@example.org", "correct horse", name=name.title())
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


def create_queue(workspace, *, items=0, **fields):
    """`items`: so many compactions of one conversation, the first with the highest priority."""
    queue = Queue.objects.create(workspace=workspace, **{"name": "Harmful first", **fields})
    conversation = create_conversation(workspace) if items else None
    for number in range(items):
        create_item(queue, create_compaction(conversation), priority=items - number)
    return queue


def create_item(queue, compaction=None, **fields):
    compaction = compaction or create_compaction(create_conversation(queue.workspace))
    return QueueItem.objects.create(workspace=queue.workspace, queue=queue, compaction=compaction, **fields)


def create_comment(compaction, text="Does it matter?", *, author=None, thread=None):
    """In a thread of its own unless one is given."""
    thread = thread or Thread.objects.create(workspace=compaction.workspace, compaction=compaction)
    name = str(author) if author else "Somebody"
    return Comment.objects.create(
        workspace=compaction.workspace, thread=thread, author=author, author_name=name, text=text
    )


def handed_in(item, user, overall="faithful", comment=""):
    """A review of the item, submitted."""
    review = open_review(compaction=item.compaction, user=user, item=item)
    save_review(review, None, overall=overall, comment=comment)
    return submit(review, None)
