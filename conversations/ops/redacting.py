"""Make what is stored anew by the settings of redaction: row by row in the background, each step a transaction that
notes how far it is."""

import logging
import time
import traceback
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import models, transaction
from django.db.models import BigIntegerField, F, Q, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from conversations.ingest.events import Block
from conversations.ingest.work import content_of
from conversations.models import (
    Batch,
    BatchChunk,
    BoundaryWork,
    CompactionAudit,
    Conversation,
    HiddenSecret,
    LlmAnswer,
    LlmReading,
    Message,
    RedactionRun,
    User,
    Workspace,
)
from conversations.ops.holds import held
from conversations.ops.moving_marks import Renewed, move_marks
from conversations.ops.redaction_tables import TABLES, Table
from conversations.ops.renewing import Renewal
from conversations.people.activity import record_activity
from conversations.vocabulary import BatchState, Redaction, RedactionState

log = logging.getLogger(__name__)

#: A worker is taken for dead that has not noted anything for so long; more than any one step takes.
LEASE = timedelta(seconds=300)
#: Rows looked at in one transaction. A message may have megabytes, but nearly all have less than 10 kB.
_AT_ONCE = 200
_BLOCKS = msgspec.json.Decoder(list[Block])


def begin(workspace: Workspace, by: User) -> RedactionRun:
    """Have everything stored made anew by the settings as they are now; the run that is at work already, where there
    is one, begins again."""
    total = sum(table.rows(workspace).count() for table in TABLES)
    anew = {"requested_by": by, "created_at": timezone.now(), "table": 0, "after": 0, "total": total, "done": 0}
    at_work = {"workspace": workspace, "state": RedactionState.RUNNING}
    run, is_new = RedactionRun.objects.get_or_create(**at_work, defaults={"total": total, "requested_by": by})
    if is_new:
        record_activity(workspace=workspace, actor=by, action="redaction.run_begun", target=run, detail={"rows": total})
    else:
        RedactionRun.objects.filter(pk=run.pk, state=RedactionState.RUNNING).update(**anew)
    return run


def give_up(workspace: Workspace) -> None:
    """End the run that is at work, or failed, where it is: it was not asked for with the settings that come now."""
    RedactionRun.objects.filter(workspace=workspace).exclude(state=RedactionState.DONE).delete()


def try_again(run: RedactionRun) -> None:
    """Go on with one that failed, from where it stopped."""
    failed = RedactionRun.objects.filter(pk=run.pk, state=RedactionState.FAILED)
    failed.update(state=RedactionState.RUNNING, error="", claimed_until=None)


def left_behind() -> list[int]:
    """Runs that nobody is at: not begun, or whose worker is gone."""
    at_work = RedactionRun.objects.filter(state=RedactionState.RUNNING)
    return list(at_work.exclude(claimed_until__gt=timezone.now()).order_by("pk").values_list("pk", flat=True))


def work_on(run_id: int, seconds: float) -> bool:
    """Go on with it for about so long. Whether there is more to do; False where somebody else is at it."""
    run = _claim(run_id)
    if run is None:
        return False
    end = time.monotonic() + seconds
    try:
        renewal = Renewal(run.workspace)
        while run.is_at_work and time.monotonic() < end and _step(run, renewal):
            pass
    except Exception as error:  # noqa: BLE001 -- told on its page, and gone on with from there
        # Where, and never what: its words might quote what was to be redacted.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("redaction failed run=%s error=%s\n%s", run_id, type(error).__name__, where)  # noqa: TRY400
        told = f"{type(error).__name__}. The server's log says where."
        RedactionRun.objects.filter(pk=run_id).update(state=RedactionState.FAILED, error=told, claimed_until=None)
        return False
    RedactionRun.objects.filter(pk=run_id).update(claimed_until=None)
    return run.is_at_work


def _claim(run_id: int) -> RedactionRun | None:
    free = Q(claimed_until=None) | Q(claimed_until__lt=timezone.now())
    ours = RedactionRun.objects.filter(free, pk=run_id, state=RedactionState.RUNNING)
    if not ours.update(claimed_until=timezone.now() + LEASE):
        return None
    return RedactionRun.objects.select_related("workspace").get(pk=run_id)


@transaction.atomic
def _step(run: RedactionRun, renewal: Renewal) -> bool:
    """The next rows of the table; when there are none, the next table; after the last one it is done. False where it
    has been begun again meanwhile, by other settings, or was given up."""
    begun = RedactionRun.objects.select_for_update().values_list("created_at", flat=True).filter(pk=run.pk).first()
    if begun != run.created_at:
        return False
    table = TABLES[run.table]
    rows = table.rows(run.workspace).filter(pk__gt=run.after).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
    if ids:
        changed = _renew(table, ids, renewal)
        _save(run, after=ids[-1], done=run.done + len(ids), changed=run.changed + changed)
    elif run.table + 1 < len(TABLES):
        _save(run, table=run.table + 1, after=0)
    else:
        _finish(run)
    return True


def _save(run: RedactionRun, **fields: object) -> None:
    for name, value in {**fields, "claimed_until": timezone.now() + LEASE}.items():
        setattr(run, name, value)
    run.save(update_fields=[*fields, "claimed_until"])


def _finish(run: RedactionRun) -> None:
    LlmAnswer.objects.filter(workspace=run.workspace, compaction=None).delete()  # from before they knew of what
    if run.workspace.redaction != Redaction.DISPLAY:
        _forget_hidden(run)
    _save(run, state=RedactionState.DONE, finished_at=timezone.now())
    detail = {"rows": run.done, "changed": run.changed}
    record_activity(workspace=run.workspace, actor="redaction", action="redaction.run_done", target=run, detail=detail)


def _forget_hidden(run: RedactionRun) -> None:
    """Nothing leads back to it any more, but in conversations that a hold kept from being changed, and in what was
    being digested when the settings changed."""
    hidden = HiddenSecret.objects.filter(workspace=run.workspace, created_at__lt=run.created_at)
    if run.workspace.redaction == Redaction.INGEST:
        kept = Conversation.objects.filter(held(run.workspace), workspace=run.workspace)
        hidden = hidden.exclude(conversation__in=kept.values("pk"))
    hidden.delete()


# --- rows -------------------------------------------------------------------------------------------------------------


def _renew(table: Table, ids: list[int], renewal: Renewal) -> int:
    """Make these rows anew; returns how many have changed."""
    if table.model is Message:
        return _renew_messages(ids, renewal)
    names = (*table.texts, *table.values, *table.quotes, *table.unseen, *(("revision",) if table.versioned else ()))
    said_in = F(table.conversation) if table.conversation else Value(None, BigIntegerField())
    rows = table.rows(renewal.workspace).filter(pk__in=ids).order_by("pk").annotate(said_in=said_in)
    changed = []
    for row in rows.only("pk", *names).select_for_update(of=("self",)):
        if _renew_row(row, table, renewal):
            changed.append(row)
        renewal.keep(row.said_in)
    table.model._default_manager.bulk_update(changed, names)  # noqa: SLF001 -- public by its docs
    if table.model is Batch and renewal.is_for_good:
        _drop_bytes(ids)
    return len(changed)


def _renew_row(row: Any, table: Table, renewal: Renewal) -> bool:
    anew: dict[str, object] = {name: _fitting(row, name, _text(row, name, renewal)) for name in table.texts}
    values = (*table.values, *(table.unseen if renewal.is_for_good else ()))
    anew |= {name: renewal.value(getattr(row, name)) for name in values}
    if renewal.hides:
        anew |= dict.fromkeys(table.quotes, "")
    changed = {name: value for name, value in anew.items() if value != getattr(row, name)}
    if changed and table.versioned:
        changed["revision"] = row.revision + 1  # who is changing the old words is told
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _text(row: models.Model, name: str, renewal: Renewal) -> str:
    text = getattr(row, name)
    return renewal.title(text) if name == "title" else renewal.text(text)


def _fitting(row: models.Model, name: str, text: str) -> str:
    """A placeholder may be longer than what it stands for."""
    field: Any = row._meta.get_field(name)  # noqa: SLF001 -- as above
    return text if field.max_length is None or len(text) <= field.max_length else text[: field.max_length]


def _drop_bytes(ids: list[int]) -> None:
    """The bytes as they came hold what was taken out of the rows. What is still to be digested loses them then."""
    done = Batch.objects.filter(pk__in=ids, raw_deleted_at=None).exclude(state=BatchState.PENDING)
    dropped = list(done.values_list("pk", flat=True))
    BatchChunk.objects.filter(batch__in=dropped).delete()
    Batch.objects.filter(pk__in=dropped).update(raw_deleted_at=timezone.now())


# --- messages ---------------------------------------------------------------------------------------------------------


def _renew_messages(ids: list[int], renewal: Renewal) -> int:
    ours = Message.objects.filter(workspace=renewal.workspace, pk__in=ids)
    conversations = sorted(set(ours.values_list("conversation", flat=True)))
    # As digestion locks them, so that neither waits for the other with what the other one needs.
    list(Conversation.objects.filter(pk__in=conversations).order_by("pk").select_for_update(no_key=True).only("pk"))
    found = ours.order_by("pk").annotate(written=Cast("blocks", TextField())).defer("blocks", "excerpt")
    changed = []
    for row in found:
        if renewed := _renew_message(row, renewal):
            changed.append(renewed)
        renewal.keep(row.conversation_id)
    rows = [each.row for each in changed]
    Message.objects.bulk_update(rows, ["blocks", "size", "excerpt", "content_hash"])
    move_marks(changed, renewal)
    _have_audited_again({row.conversation_id for row in rows})
    return len(changed)


def _renew_message(row: Any, renewal: Renewal) -> Renewed | None:
    """The content that its id is known by stays what came, if it is that no more: see `ingest.work.Original`."""
    written = row.written.encode()
    blocks = _BLOCKS.decode(written)
    anew = [renewal.block(block) for block in blocks]
    if anew == blocks:
        return None
    content = content_of(anew, renewal.original(written, bytes(row.content_hash)))
    row.blocks, row.size, row.excerpt = msgspec.json.decode(content.blocks), content.size, content.excerpt
    row.content_hash = content.digest
    return Renewed(row, blocks, anew)


def _have_audited_again(conversations: Iterable[int]) -> None:
    """Their facts have other words now, at other places. What a language model answered quotes the old ones: it is
    asked again."""
    ids = sorted(conversations)
    LlmAnswer.objects.filter(compaction__conversation__in=ids).delete()
    LlmReading.objects.filter(compaction__conversation__in=ids).delete()
    BoundaryWork.objects.filter(compaction__conversation__in=ids).delete()
    CompactionAudit.objects.filter(compaction__conversation__in=ids).update(input_key="")
    Conversation.objects.filter(pk__in=ids, compaction_count__gt=0).update(audit_due_at=timezone.now())
