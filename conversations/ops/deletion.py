"""Delete what somebody asked for: a conversation, what mentions a person, a workspace; in the background.

Each step is a transaction of its own that also notes how far it is, so that a worker that dies costs nothing but time.
"""

import json
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.ingest.forgetting import forget
from conversations.models import (
    ApiKey,
    Batch,
    BatchChunk,
    Conversation,
    Deletion,
    DeletionTarget,
    Membership,
    User,
    Workspace,
)
from conversations.ops.holds import Held, held
from conversations.ops.retention import CONVERSATIONS_AT_ONCE
from conversations.people.activity import record_activity
from conversations.redaction.hidden import placeholders_for
from conversations.vocabulary import DeletionKind, DeletionState, MemberRole

log = logging.getLogger(__name__)

#: A worker is taken for dead that has not noted anything for so long; more than any one step takes.
LEASE = timedelta(seconds=300)
#: Conversations whose messages are looked through at once.
_LOOKED_AT = 100
_BATCHES_AT_ONCE = 200
_HELD = "A hold is on it: release it first, under Settings, Retention."


# --- asking for it ----------------------------------------------------------------------------------------------------


def family(conversation: Conversation) -> list[int]:
    """The conversation and all that it delegated, and those delegated, by their keys."""
    ours = Conversation.objects.filter(workspace=conversation.workspace_id, source=conversation.source)
    found, names = {conversation.pk}, [conversation.external_id]
    while names:
        children = ours.filter(parent_external_id__in=names).exclude(pk__in=found).values_list("pk", "external_id")
        names = [name for pk, name in children if not found.add(pk)]  # type: ignore[func-returns-value]
    return sorted(found)


def delete_conversation(conversation: Conversation, by: User) -> Deletion:
    """Delete it and what it delegated. Raises Held."""
    workspace = conversation.workspace
    ids = family(conversation)
    if Conversation.objects.filter(held(workspace), pk__in=ids).exists():
        raise Held(_HELD)
    deletion = _begin(workspace, by, DeletionKind.CONVERSATION, DeletionState.RUNNING, total=len(ids))
    _aim(deletion, ids)
    return deletion


def search_person(workspace: Workspace, needles: Sequence[str], by: User) -> Deletion:
    """Look for conversations in which one of these texts stands, in whatever case; nothing is deleted yet."""
    total = workspace.conversations.count()
    return _begin(
        workspace, by, DeletionKind.PERSON, DeletionState.SEARCHING, total=total, needles=list(needles)
    )  # fmt: skip


@transaction.atomic
def confirm(deletion: Deletion, by: User) -> None:
    """Delete what was found. Asked twice, it is begun once."""
    found = Deletion.objects.filter(pk=deletion.pk, state=DeletionState.FOUND)
    count = deletion.targets.count()
    if found.update(state=DeletionState.RUNNING, total=count, done=0, requested_by=by):
        _note(deletion, by, "deletion.confirmed", count)


def cancel(deletion: Deletion) -> None:
    """Forget what was looked for and found."""
    Deletion.objects.filter(pk=deletion.pk, state__in=[DeletionState.SEARCHING, DeletionState.FOUND]).delete()


def try_again(deletion: Deletion) -> None:
    """Go on with one that failed."""
    state = DeletionState.SEARCHING if deletion.needles else DeletionState.RUNNING
    Deletion.objects.filter(pk=deletion.pk, state=DeletionState.FAILED).update(
        state=state, error="", claimed_until=None
    )


def delete_workspace(workspace: Workspace, by: User) -> Deletion:
    """Delete all of it. Its keys open nothing from now on, so that nothing comes in meanwhile. Raises Held."""
    if workspace.holds.filter(released_at=None).exists():
        raise Held("There are holds in this workspace: release them first, under Settings, Retention.")
    ApiKey.objects.filter(workspace=workspace, revoked_at=None).update(revoked_at=timezone.now())
    total = workspace.conversations.count()
    return _begin(workspace, by, DeletionKind.WORKSPACE, DeletionState.RUNNING, total=total)


@transaction.atomic
def _begin(
    workspace: Workspace, by: User, kind: DeletionKind, state: DeletionState, *, total: int, needles: Iterable[str] = ()
) -> Deletion:
    deletion = Deletion.objects.create(
        workspace=workspace, kind=kind, state=state, total=total, needles=list(needles), requested_by=by
    )
    _note(deletion, by, "deletion.requested", total)
    return deletion


def _note(deletion: Deletion, actor: User | str, action: str, count: int) -> None:
    """That it happened, and to how many; never to which."""
    detail = {"kind": str(deletion.kind), "conversations": count}
    record_activity(workspace=deletion.workspace, actor=actor, action=action, target=deletion, detail=detail)


def _aim(deletion: Deletion, ids: Iterable[int]) -> None:
    rows = [DeletionTarget(workspace_id=deletion.workspace_id, deletion=deletion, conversation_id=pk) for pk in ids]
    DeletionTarget.objects.bulk_create(rows, ignore_conflicts=True)


# --- doing it ---------------------------------------------------------------------------------------------------------


def left_behind() -> list[int]:
    """Deletions that nobody is at: not begun, or whose worker is gone."""
    at_work = Deletion.objects.filter(state__in=[DeletionState.SEARCHING, DeletionState.RUNNING])
    return list(at_work.exclude(claimed_until__gt=timezone.now()).order_by("pk").values_list("pk", flat=True))


def work_on(deletion_id: int, seconds: float) -> bool:
    """Go on with it for about so long. Whether there is more to do; False where somebody else is at it."""
    deletion = _claim(deletion_id)
    if deletion is None:
        return False
    end = time.monotonic() + seconds
    try:
        while deletion.is_at_work and time.monotonic() < end:
            deletion = _step(deletion)
    except Exception as error:
        log.exception("deletion failed deletion=%s", deletion_id)
        told = f"{type(error).__name__}. The server's log says more."  # its text might quote what was to be deleted
        Deletion.objects.filter(pk=deletion_id).update(state=DeletionState.FAILED, error=told, claimed_until=None)
        raise
    Deletion.objects.filter(pk=deletion_id).update(claimed_until=None)
    return deletion.is_at_work


def _claim(deletion_id: int) -> Deletion | None:
    free = Q(claimed_until=None) | Q(claimed_until__lt=timezone.now())
    ours = Deletion.objects.filter(free, pk=deletion_id, state__in=[DeletionState.SEARCHING, DeletionState.RUNNING])
    if not ours.update(claimed_until=timezone.now() + LEASE):
        return None
    return Deletion.objects.select_related("workspace").get(pk=deletion_id)


def _step(deletion: Deletion) -> Deletion:
    if deletion.state == DeletionState.SEARCHING:
        _search(deletion)
    elif deletion.kind == DeletionKind.WORKSPACE:
        _clear_workspace(deletion)
    else:
        _delete_targets(deletion)
    return deletion


@transaction.atomic
def _save(deletion: Deletion, **fields: object) -> None:
    """Note how far it is, and that somebody is at it."""
    for name, value in {**fields, "claimed_until": timezone.now() + LEASE}.items():
        setattr(deletion, name, value)
    deletion.save(update_fields=[*fields, "claimed_until"])


@transaction.atomic
def _search(deletion: Deletion) -> None:
    rows = Conversation.objects.filter(workspace=deletion.workspace_id, pk__gt=deletion.searched_to).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:_LOOKED_AT])
    if ids:
        _aim(deletion, _mentioning(deletion, ids))
        _save(deletion, searched_to=ids[-1], done=deletion.done + len(ids))
    else:
        _save(deletion, state=DeletionState.FOUND, needles=[], total=deletion.targets.count(), done=0)


#: Blocks are JSON text: what is looked for is written as JSON writes it, in both of its ways.
_MENTIONING = """
    SELECT m.conversation_id FROM conversations_message m WHERE m.workspace_id = %(workspace)s
        AND m.conversation_id = ANY(%(ids)s) AND m.blocks::text ILIKE ANY(%(in_json)s)
    UNION SELECT c.id FROM conversations_conversation c WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s)
        AND (c.title || ' ' || c.external_id || ' ' || c.cwd) ILIKE ANY(%(as_is)s)
"""


def _mentioning(deletion: Deletion, ids: list[int]) -> list[int]:
    needles = [*deletion.needles, *_placeholders(deletion, ids)]
    in_json = [json.dumps(needle, ensure_ascii=ascii_only)[1:-1] for needle in needles for ascii_only in (True, False)]
    asked: dict[str, Any] = {
        "workspace": deletion.workspace_id, "ids": ids,
        "in_json": list(map(_anywhere, in_json)), "as_is": list(map(_anywhere, needles)),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MENTIONING, asked)
        return [pk for [pk] in cursor.fetchall()]


def _placeholders(deletion: Deletion, ids: list[int]) -> set[str]:
    """What stands for it where it is hidden; asked by owners only, who may be shown it: to others it would be told."""
    owners = Membership.objects.filter(workspace=deletion.workspace_id, role=MemberRole.OWNER)
    if not owners.filter(user=deletion.requested_by_id).exists():
        return set()
    return placeholders_for(deletion.workspace_id, ids, deletion.needles)


def _anywhere(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@transaction.atomic
def _delete_targets(deletion: Deletion) -> None:
    ids = list(deletion.targets.order_by("pk").values_list("conversation", flat=True)[:CONVERSATIONS_AT_ONCE])
    ours = Conversation.objects.filter(workspace=deletion.workspace_id, pk__in=ids)
    kept = list(ours.filter(held(deletion.workspace)).values_list("pk", flat=True))
    forget(deletion.workspace_id, sorted(set(ids) - set(kept)), for_good=True)
    deletion.targets.filter(conversation__in=ids).delete()
    _save(deletion, done=deletion.done + len(ids), held=deletion.held + len(kept))
    if not deletion.targets.exists():
        _finish(deletion)


def _finish(deletion: Deletion) -> None:
    _save(deletion, state=DeletionState.DONE, finished_at=timezone.now())
    _note(deletion, "deletion", "deletion.done", deletion.done - deletion.held)


def _clear_workspace(deletion: Deletion) -> None:
    """A few conversations; when there are none, a few batches; when there are none, the rest and itself."""
    workspace = deletion.workspace
    with transaction.atomic():
        ids = list(workspace.conversations.order_by("pk").values_list("pk", flat=True)[:CONVERSATIONS_AT_ONCE])
        if ids:
            Conversation.objects.filter(pk__in=ids).delete()
            _save(deletion, done=deletion.done + len(ids))
        elif batches := _some(workspace.batches.all()):
            BatchChunk.objects.filter(workspace=workspace, batch__in=batches).delete()
            Batch.objects.filter(pk__in=batches).delete()
            _save(deletion)
        else:
            workspace.delete()
            log.info("workspace deleted workspace=%s", deletion.workspace_id)
            deletion.state = DeletionState.DONE


def _some(rows: QuerySet[Batch]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCHES_AT_ONCE])
