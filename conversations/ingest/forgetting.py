"""Delete conversations wherever they are: their rows, what was made of them, and the bytes they came as.

What is deleted for good leaves the hash of its id behind, so that neither bytes that are digested again nor an agent
that sends it once more bring it back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.ingest import inbox
from conversations.ingest.formats.cutting import mentions, without
from conversations.ingest.unread import SUFFIX
from conversations.ingest.work import KEY_CHARACTERS, Key
from conversations.models import (
    Batch,
    BatchProblem,
    BudgetEvent,
    BudgetOverride,
    Conversation,
    DeletedConversation,
    Incident,
    KnownContexts,
    LlmAnswer,
)
from conversations.vocabulary import BatchState

Keys = Mapping[str, AbstractSet[str]]  # source → external ids

#: Notices have no key to what they are about: they lead to its page.
_NOTICES = """
    DELETE FROM conversations_notice WHERE workspace_id = %s AND (
        substring(url from '/conversations/([0-9]+)/')::bigint = ANY(%s)
        OR substring(url from '/compactions/([0-9]+)/')::bigint = ANY(%s)
        OR substring(url from '/messages/([0-9]+)/')::bigint IN (
            SELECT id FROM conversations_message WHERE workspace_id = %s AND conversation_id = ANY(%s)))
"""


@transaction.atomic
def forget(workspace_id: int, ids: Sequence[int], *, for_good: bool) -> int:
    """Delete these conversations of the workspace, all of them or none; returns how many there were.

    What was spent on them stays in the sums of their agents. Sums and hashes tell nothing that was said."""
    rows = Conversation.objects.select_for_update().filter(workspace=workspace_id, pk__in=ids).order_by("pk")
    found = list(rows.values_list("pk", "source", "external_id"))
    keys: dict[str, set[str]] = defaultdict(set)
    for _, source, external_id in found:
        keys[source].add(external_id)
    if for_good:
        _remember(Key(workspace_id, source, external_id) for _, source, external_id in found)
    forget_bytes(workspace_id, keys)
    for source, names in keys.items():
        KnownContexts.objects.filter(workspace=workspace_id, source=source, external_id__in=names).delete()
        _forget_in_budgets(workspace_id, names)
    _forget_what_points_there(workspace_id, [pk for pk, *_ in found])
    rows.delete()
    return len(found)


def _forget_in_budgets(workspace_id: int, names: AbstractSet[str]) -> None:
    """Budgets know a conversation by its source's id, since they are asked for it before it has come: what happened to
    it, who may spend more, and the incidents, which are called as it is."""
    for table in (BudgetEvent, BudgetOverride):
        table.objects.filter(workspace=workspace_id, conversation_name__in=names).delete()
    groups = {name[: Incident._meta.get_field("group").max_length] for name in names}  # noqa: SLF001 -- public by its docs
    Incident.objects.filter(workspace=workspace_id, budget__isnull=False, group__in=groups).delete()


def _forget_what_points_there(workspace_id: int, ids: list[int]) -> None:
    """What has no foreign key: notices, the evidence of incidents, and answers from before they knew of what."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM conversations_compaction WHERE workspace_id = %s AND conversation_id = ANY(%s)",
            [workspace_id, ids],
        )
        compactions = [pk for [pk] in cursor.fetchall()]
        cursor.execute(_NOTICES, [workspace_id, ids, compactions, workspace_id, ids])
    LlmAnswer.objects.filter(workspace=workspace_id, compaction=None).delete()
    _forget_evidence(workspace_id, {"conversation": set(ids), "compaction": set(compactions)})


def _forget_evidence(workspace_id: int, gone: Mapping[str, AbstractSet[int]]) -> None:
    asked = Q()
    for kind in gone:
        asked |= Q(evidence__contains=[{"kind": kind}])
    for incident in Incident.objects.select_for_update().filter(asked, workspace=workspace_id):
        kept = [each for each in incident.evidence if each.get("id") not in gone.get(each.get("kind"), ())]
        if len(kept) < len(incident.evidence):
            incident.evidence = kept
            incident.save(update_fields=["evidence"])


# --- what must not come back ------------------------------------------------------------------------------------------


def _hash(key: Key) -> bytes:
    """The same as `states.lock` has Postgres calculate."""
    return sha256(f"{key.source}\n{key.external_id}".encode()).digest()


def _remember(keys: Iterable[Key]) -> None:
    rows = [DeletedConversation(workspace_id=key.workspace_id, key_hash=_hash(key)) for key in keys]
    DeletedConversation.objects.bulk_create(rows, ignore_conflicts=True)


def take_out_again(keys: Iterable[Key]) -> None:
    """What a digestion met of conversations that were deleted for good: their bytes have come once more."""
    by_source: dict[tuple[int, str], set[str]] = defaultdict(set)
    for key in keys:
        by_source[key.workspace_id, key.source].add(key.external_id)
    for (workspace_id, source), names in by_source.items():
        _take_out_of_digested(workspace_id, source, names)


# --- bytes ------------------------------------------------------------------------------------------------------------


def forget_bytes(workspace_id: int, keys: Keys) -> None:
    """Take the conversations out of every batch that holds them, whether it was understood or not."""
    for source, names in keys.items():
        _take_out_of_digested(workspace_id, source, names)
    everything = {name for names in keys.values() for name in names}
    ours = Batch.objects.filter(_not_understood(), workspace=workspace_id, raw_deleted_at=None)
    for batch in ours.order_by("pk"):
        if _names(batch, everything):
            _drop(batch)
            batch.problems.all().delete()


def _take_out_of_digested(workspace_id: int, source: str, names: AbstractSet[str]) -> None:
    holding = Batch.objects.filter(
        workspace=workspace_id, format=source, found__conversations__has_any_keys=sorted(names)
    )
    for batch in holding.select_for_update().order_by("pk"):
        _take_out(batch, names)


def _not_understood() -> Q:
    """Whose conversations are not told by `found`."""
    return Q(state=BatchState.FAILED) | Q(format__endswith=SUFFIX)


def _names(batch: Batch, ids: AbstractSet[str]) -> bool:
    end = b""  # an id may stand across two pieces
    for piece in inbox.load(batch):
        if mentions(end + piece, ids):
            return True
        end = piece[-2 * KEY_CHARACTERS :]
    return False


def _take_out(batch: Batch, names: AbstractSet[str]) -> None:
    """Keep of this batch what belongs to other conversations. A transcript is one file: its bytes go as a whole, and
    with them those of the batches that go on from it."""
    if batch.raw_deleted_at is None:
        if batch.format in inbox.EVENT_FORMATS:
            _rewrite(batch, names)
        else:
            _drop(batch)
    _forget_in_row(batch, names)
    for later in batch.continued_by.filter(raw_deleted_at=None):
        _take_out(later, names)


def _rewrite(batch: Batch, names: AbstractSet[str]) -> None:
    body = without(b"".join(inbox.load(batch)), names)
    if not body:
        _drop(batch)
        return
    batch.chunks.all().delete()
    inbox.store(batch, (body[at : at + inbox.PIECE_BYTES] for at in range(0, len(body), inbox.PIECE_BYTES)))


def _drop(batch: Batch) -> None:
    batch.chunks.all().delete()
    batch.raw_deleted_at, batch.checkpoint, batch.source_key = timezone.now(), None, ""
    batch.save(update_fields=["raw_deleted_at", "checkpoint", "source_key"])


def _forget_in_row(batch: Batch, names: AbstractSet[str]) -> None:
    left = [name for name in batch.found.get("conversations", ()) if name not in names]
    batch.found = {**batch.found, "conversations": left}
    if not left:
        batch.name = ""
    batch.save(update_fields=["found", "name"])
    _problems_of(batch, names, alone=not left).delete()


def _problems_of(batch: Batch, names: AbstractSet[str], *, alone: bool) -> QuerySet[BatchProblem]:
    told = Q()
    for name in names:
        told |= Q(raw__contains=name) | Q(message__contains=name)
    return batch.problems.all() if alone else batch.problems.filter(told)
