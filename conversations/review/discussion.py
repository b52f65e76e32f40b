"""Threads on a compaction: opened, answered, resolved; who is mentioned or takes part is told."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from conversations.errors import BadInput, Conflict
from conversations.models import Comment, Compaction, Finding, Thread, User
from conversations.people.access import is_at_least
from conversations.people.activity import record_activity
from conversations.people.notices import notify
from conversations.review.mentions import mentioned
from conversations.vocabulary import MemberRole

LONGEST = 20_000  # characters of a comment: as many as are rendered


@transaction.atomic
def open_thread(compaction: Compaction, user: User, text: str, *, fact_id: str = "") -> Comment:
    """A thread on the compaction, or on the fact named, with its first comment. A fact that an audit has taken away
    meanwhile loses nobody's words: the thread is on the compaction then."""
    rows = Finding.objects.filter(workspace=compaction.workspace, compaction=compaction, fact_id=fact_id)
    fact = rows.first() if fact_id else None
    thread = Thread.objects.create(
        workspace=compaction.workspace,
        compaction=compaction,
        fact_id=fact.fact_id if fact else "",
        about=fact.text if fact else "",
    )
    return add_comment(thread, user, text)


@transaction.atomic
def add_comment(thread: Thread, user: User, text: str) -> Comment:
    """What `user` says, told to the members it mentions and to those who take part in the thread. Saying something
    opens a resolved thread again."""
    comment = Comment.objects.create(
        workspace=thread.workspace, thread=thread, author=user, author_name=str(user), text=_words(text)
    )
    if thread.resolved_at:
        reopen(thread, user)
    _tell_others(comment, user, told=_tell(comment, user))
    record_activity(workspace=thread.workspace, actor=user, action="comment.added", target=comment)
    return comment


@transaction.atomic
def edit(comment: Comment, user: User, text: str, *, seen: int) -> None:
    """Its author puts it otherwise; members whom only the new words mention are told. Raises Conflict if the revision
    `seen` is not the one that is stored: it was changed or removed meanwhile."""
    stored = Comment.objects.select_for_update().get(pk=comment.pk)
    if stored.deleted_at or stored.revision != seen:
        raise Conflict("This comment was changed meanwhile; your words are not stored yet.", newer=stored)
    words = _words(text)
    if words == stored.text:
        return
    comment.text, comment.edited_at, comment.revision = words, timezone.now(), seen + 1
    comment.save(update_fields=["text", "edited_at", "revision"])
    _tell(comment, user)
    record_activity(workspace=comment.workspace, actor=user, action="comment.edited", target=comment)


def assignable(thread: Thread) -> list[User]:
    """Members who may write in it, by name."""
    rows = thread.workspace.memberships.select_related("user").order_by("user__name", "user__email")
    return [row.user for row in rows if is_at_least(row.role, MemberRole.REVIEWER)]


@transaction.atomic
def assign(thread: Thread, user: User, assignee: User | None) -> None:
    """From now on `assignee` is to see to it, and is told unless it was them who said so; None: nobody is. Raises
    BadInput where they may not write here."""
    stored = Thread.objects.select_for_update().get(pk=thread.pk)
    before, after = stored.assignee_id, assignee.pk if assignee else None
    if before == after:
        return
    if assignee and assignee not in assignable(thread):
        raise BadInput("Threads are assigned to members who may review.")
    thread.assignee = assignee
    thread.save(update_fields=["assignee"])
    record_activity(
        workspace=thread.workspace,
        actor=user,
        action="thread.assigned",
        target=thread,
        detail={"from": before, "to": after},
    )
    if assignee and assignee != user:
        _tell_assignee(thread, user, assignee)


@transaction.atomic
def remove(comment: Comment, user: User) -> None:
    """Its words are gone for good; that something stood there stays. Whoever calls says who may."""
    if comment.deleted_at:
        return
    comment.text, comment.deleted_at = "", timezone.now()
    comment.revision += 1
    comment.save(update_fields=["text", "deleted_at", "revision"])
    record_activity(workspace=comment.workspace, actor=user, action="comment.removed", target=comment)


@transaction.atomic
def resolve(thread: Thread, user: User) -> None:
    """Nothing is open in it any more."""
    _set_resolved(thread, user, "thread.resolved", resolved=True)


@transaction.atomic
def reopen(thread: Thread, user: User) -> None:
    """It is not settled after all."""
    _set_resolved(thread, user, "thread.reopened", resolved=False)


def _set_resolved(thread: Thread, user: User, action: str, *, resolved: bool) -> None:
    if (thread.resolved_at is not None) == resolved:
        return
    thread.resolved_at, thread.resolved_by = (timezone.now(), user) if resolved else (None, None)
    thread.save(update_fields=["resolved_at", "resolved_by"])
    record_activity(workspace=thread.workspace, actor=user, action=action, target=thread)


def _words(text: str) -> str:
    text = text.replace("\0", "").strip()
    if not 0 < len(text) <= LONGEST:
        raise BadInput(f"A comment has 1 to {LONGEST:,} characters.")
    return text


def _tell_assignee(thread: Thread, user: User, assignee: User) -> None:
    compaction = thread.compaction
    notify(
        workspace=thread.workspace,
        users=[assignee],
        kind="assignment",
        text=f"{user} assigned you a thread in the discussion of compaction {compaction.number}.",
        url=f"{compaction.get_absolute_url()}#thread-{thread.pk}",
        key=f"thread-{thread.pk}-{timezone.now().isoformat()}",  # assigned again is told again
    )


def _tell(comment: Comment, author: User) -> set[int]:
    """Those it mentions; ids of them."""
    workspace, compaction = comment.workspace, comment.thread.compaction
    people = {user.pk: user for user in workspace.members.exclude(pk=author.pk)}
    named = mentioned(comment.text, [(user.pk, user.name, user.email) for user in people.values()])
    notify(
        workspace=workspace,
        users=[people[key] for key in named],
        kind="mention",
        text=f"{author} mentioned you in the discussion of compaction {compaction.number}.",
        url=f"{compaction.get_absolute_url()}#comment-{comment.pk}",
        key=f"comment-{comment.pk}",
    )
    return set(named)


def _tell_others(comment: Comment, author: User, *, told: set[int]) -> None:
    """Who said something in the thread, or is to see to it, and is a member still."""
    thread, compaction = comment.thread, comment.thread.compaction
    said = Comment.objects.filter(workspace=thread.workspace, thread=thread, deleted_at=None).values("author")
    taking_part = thread.workspace.members.filter(Q(pk__in=said) | Q(pk=thread.assignee_id))
    notify(
        workspace=thread.workspace,
        users=taking_part.exclude(pk__in={author.pk, *told}),
        kind="reply",
        text=f"{author} said something in a discussion of compaction {compaction.number} that you take part in.",
        url=f"{compaction.get_absolute_url()}#comment-{comment.pk}",
        key=f"reply-{comment.pk}",  # another than a mention's: who is named later is told of that
    )
