"""The pipeline on one screen: every background job, and what each starts next.

    POST or import → accept (stored, answered) → digest (rows) → audit (what was forgotten) → ask a model (with a key)
                                                                       ↘ flow into queues (for people to review)

Queues: `digest` is kept short, so that what was sent is soon seen, and `alerts`, so that people are told in time;
`model` waits for others' servers; everything else is `default`.
"""

import logging
import threading
import time
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from conversations.alerts import budget_watch, evaluation, outbox, telling
from conversations.alerts.history import purge_runs
from conversations.audit import asking, keeping, learned_services, ledger_services
from conversations.audit import services as audit_services
from conversations.ingest import queries, services
from conversations.ingest.services import Digested
from conversations.models import Batch, Conversation, Deletion, LedgerEntry, Queue, RedactionRun, Workspace
from conversations.models.isolation import unrestricted
from conversations.ops import deletion, redacting, retention
from conversations.ops.known_contexts import purge_known_contexts
from conversations.people.purging import purge_sign_ins
from conversations.review import filling, mailing, places, teaching

log = logging.getLogger(__name__)

#: A digestion hands over to a new one after so long, well before the time limit of a job.
DIGEST_SECONDS = 60
#: And a deletion, which nobody waits for: other jobs of its queue come in between.
PART_SECONDS = 20


@shared_task(acks_late=True, ignore_result=True)
def digest() -> None:
    """Digest group after group until nothing waits; one message in the queue does for any number of batches."""
    end = time.monotonic() + DIGEST_SECONDS
    while batches := services.claim():
        follow(services.digest_claimed(batches))
        if time.monotonic() > end:
            digest.delay()
            return


@shared_task(ignore_result=True)
def sweep_batches() -> None:
    """Every few seconds: digest what nobody was told of, or what a worker left behind."""
    if queries.is_left_behind():
        digest()


@shared_task(acks_late=True, ignore_result=True)
def audit_conversation(conversation_id: int, *, settled: bool = False) -> None:
    """Look at every compaction of the conversation that is new or whose ground has changed."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation:
        audit_services.audit_conversation(conversation, settled=settled)
        filling.offer(conversation)
        for compaction_id in asking.mark_unasked(conversation):
            ask_model.delay(compaction_id)


@shared_task(ignore_result=True)
def audit_due() -> None:
    """Every minute: audit again what has grown since, and keep no work for what has not."""
    for conversation_id in audit_services.due_conversations():
        audit_conversation.delay(conversation_id, settled=True)
    keeping.drop_idle()


@shared_task(acks_late=True, ignore_result=True)
def ask_model(compaction_id: int) -> None:
    """Have a language model look at one compaction, if it has not yet."""
    audit_services.ask_model(compaction_id)


@shared_task(ignore_result=True)
def ask_models() -> None:
    """Every minute: ask again where asking failed, or where the message was lost."""
    for compaction_id in asking.due_compactions():
        ask_model.delay(compaction_id)


@shared_task(acks_late=True, ignore_result=True)
def check_ledger_entry(entry_id: int) -> None:
    """Hold the past against an entry of the ledger that is new or was changed; in parts, as deletions are."""
    if ledger_services.check_past(entry_id, PART_SECONDS):
        check_ledger_entry.delay(entry_id)


@shared_task(ignore_result=True)
def check_ledger() -> None:
    """Every minute: entries whose worker is gone, or whose message was lost."""
    for entry_id in ledger_services.left_behind():
        check_ledger_entry.delay(entry_id)


@shared_task(ignore_result=True)
def evaluate_rules() -> None:
    """Every half minute: see which alert rules fire. Several at once share the rules out among them."""
    tick = evaluation.evaluate_rules(timezone.now())
    if tick.signals or tick.failed:
        log.info(
            "rules evaluated rules=%s signals=%s failed=%s seconds=%.2f",
            tick.rules, tick.signals, tick.failed, tick.seconds,
        )  # fmt: skip


@shared_task(acks_late=True, ignore_result=True)
def watch_spending(conversation_ids: list[int]) -> None:
    """After a digestion: tell of budgets that warn or are used up. Lost with its process, `watch_budgets` tells it of
    agents and workspaces, and the next digestion of conversations."""
    for workspace_id in budget_watch.watched_workspaces(conversation_ids):
        budget_watch.watch_conversations(workspace_id, conversation_ids, timezone.now())


@shared_task(ignore_result=True)
def watch_budgets() -> None:
    """Every minute: windows of budgets end, overrides begin and expire, and conversations fall silent."""
    for workspace_id in budget_watch.watched_workspaces():
        budget_watch.watch_all(workspace_id, timezone.now())


@shared_task(ignore_result=True)
def tell_channels() -> None:
    """Every few seconds: have each channel tell what is due, and what a dead process left behind."""
    for channel_id in outbox.due_channels(timezone.now()):
        tell_channel.delay(channel_id)


@shared_task(ignore_result=True)
def tell_channel(channel_id: int) -> None:
    """Tell what one channel has due. Lost with its process, it is found by `tell_channels`."""
    telling.tell(channel_id, timezone.now)


@shared_task(ignore_result=True)
def send_mails() -> None:
    """Every minute: send digests that are due, and those that a dead process left behind."""
    for digest_id in mailing.due_mails(timezone.now()):
        send_mail.delay(digest_id)


@shared_task(ignore_result=True)
def send_mail(digest_id: int) -> None:
    """Send one digest. Lost with its process, it is found by `send_mails`."""
    mailing.send(digest_id, timezone.now)


@shared_task(acks_late=True, ignore_result=True)
def fill_queue(queue_id: int) -> None:
    """Let everything that fits flow into a queue that is new, was changed or opened again."""
    queue = Queue.objects.filter(pk=queue_id, closed_at=None).select_related("workspace").first()
    if queue:
        filling.fill_queue(queue)


@shared_task(ignore_result=True)
def fill_queues() -> None:
    """Every hour: bring what people disagree on since, and what an audit that was cut short did not offer."""
    for queue_id in Queue.objects.filter(closed_at=None).order_by("id").values_list("id", flat=True):
        fill_queue.delay(queue_id)


@shared_task(ignore_result=True)
def teach_rankings() -> None:
    """Every hour: have each workspace's ranking learn from the verdicts that came since."""
    for workspace_id in Workspace.objects.order_by("id").values_list("id", flat=True):
        teach_ranking.delay(workspace_id)


@shared_task(acks_late=True, ignore_result=True)
def teach_ranking(workspace_id: int) -> None:
    """Learn from the verdicts of one workspace, and put what is stored in the new order where that changes."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    version = teaching.teach(workspace) if workspace else None
    if version:
        apply_ranking.delay(version.pk)


@shared_task(acks_late=True, ignore_result=True)
def apply_ranking(version_id: int) -> None:
    """Put stored findings in the order of a version; in parts, as deletions are."""
    if learned_services.apply_version(version_id, PART_SECONDS):
        apply_ranking.delay(version_id)


@shared_task(ignore_result=True)
def resume_rankings() -> None:
    """Every minute: versions whose worker is gone, or whose message was lost."""
    for version_id in learned_services.left_behind():
        apply_ranking.delay(version_id)


@shared_task(ignore_result=True)
def sweep_reservations() -> None:
    """Every minute: clear away the places in queues that were reserved and not used."""
    places.sweep_reservations()


@shared_task(ignore_result=True)
def purge() -> None:
    """Every hour: delete bytes that were kept long enough, what is known of contexts that ended long ago, sessions
    that ran out, and old evaluations of rules."""
    retention.purge_raw()
    purge_known_contexts()
    purge_sign_ins()
    purge_runs()


@shared_task(acks_late=True, ignore_result=True)
def purge_conversations() -> None:
    """Every ten minutes: delete conversations whose days are over; in parts, so that other jobs get their turn."""
    if retention.purge_conversations(PART_SECONDS):
        purge_conversations.delay()


@shared_task(acks_late=True, ignore_result=True)
def delete_data(deletion_id: int) -> None:
    """Go on with what somebody asked to be deleted, in parts as well."""
    if deletion.work_on(deletion_id, PART_SECONDS):
        delete_data.delay(deletion_id)


@shared_task(ignore_result=True)
def resume_deletions() -> None:
    """Every minute: deletions whose worker is gone, or whose message was lost."""
    for deletion_id in deletion.left_behind():
        delete_data.delay(deletion_id)


def begin_deletion(wanted: Deletion) -> None:
    """Have it begun; where the queue is away, `resume_deletions` will."""
    try:
        delete_data.delay(wanted.pk)
    except OperationalError:
        log.exception("deletion not begun, the sweeper will see to it deletion=%s", wanted.pk)


@shared_task(acks_late=True, ignore_result=True)
def redact_stored(run_id: int) -> None:
    """Go on with the redaction of what a workspace stored before, in parts as well."""
    if redacting.work_on(run_id, PART_SECONDS):
        redact_stored.delay(run_id)


@shared_task(ignore_result=True)
def resume_redactions() -> None:
    """Every minute: redactions whose worker is gone, or whose message was lost."""
    for run_id in redacting.left_behind():
        redact_stored.delay(run_id)


def begin_redaction(run: RedactionRun) -> None:
    """Have it begun; where the queue is away, `resume_redactions` will."""
    try:
        redact_stored.delay(run.pk)
    except OperationalError:
        log.exception("redaction not begun, the sweeper will see to it run=%s", run.pk)


# --- how jobs are started -------------------------------------------------------------------------------------------


#: Batches that come within so many seconds of each other are digested by one message in the queue: sending one costs
#: 2 to 4 ms of CPU, accepting a batch 6, and larger groups are digested faster.
GATHER_SECONDS = 0.05
_lock = threading.Lock()
_gathering: list[threading.Timer] = []  # the one that is running, if any


def wake(batch: Batch) -> None:
    """Have a new batch digested once it is committed, together with those that come just after it.

    If this process ends before it has asked, `sweep_batches` finds the batch."""
    transaction.on_commit(partial(_gather, batch.pk))


def _gather(batch_id: int) -> None:
    if digest.app.conf.task_always_eager:
        digest.delay()
        return
    with _lock:
        if not _gathering:
            timer = threading.Timer(GATHER_SECONDS, _ask, [batch_id])
            _gathering.append(timer)
            timer.start()


def _ask(batch_id: int) -> None:
    with _lock:  # before asking: a batch committed from now on starts a new timer
        _gathering.clear()
    try:
        digest.delay()
    except OperationalError:
        log.exception("digestion not asked for, the sweeper will see to it batch=%s", batch_id)


def teach_later(workspace: Workspace) -> None:
    """Have the ranking learn, or stop to, once the wish is committed; where that is lost, `teach_rankings` does it."""
    transaction.on_commit(partial(_teach, workspace.pk))


def _teach(workspace_id: int) -> None:
    try:
        teach_ranking.delay(workspace_id)
    except OperationalError:
        log.exception("learning not begun, the sweeper will see to it workspace=%s", workspace_id)


def check_later(entry: LedgerEntry) -> None:
    """Check the past of an entry once it is committed; where that is lost, `check_ledger` does it."""
    transaction.on_commit(partial(_check, entry.pk))


def _check(entry_id: int) -> None:
    try:
        check_ledger_entry.delay(entry_id)
    except OperationalError:
        log.exception("check not begun, the sweeper will see to it entry=%s", entry_id)


def fill_later(queue: Queue) -> None:
    """Fill a queue once it is committed; where that is lost, `fill_queues` does it."""
    transaction.on_commit(partial(fill_queue.delay, queue.pk))


@unrestricted()
def digest_now(batch: Batch) -> None:
    """Digest a batch that was accepted as claimed, while its sender waits."""
    follow(services.digest_claimed([batch]))
    batch.refresh_from_db()


def follow(digested: Digested) -> None:
    """What comes after rows are in: audit the conversations in which a compaction is new or has changed."""
    if digested.conversation_ids and budget_watch.watched_workspaces(digested.conversation_ids):
        watch_spending.delay(sorted(digested.conversation_ids))
    for conversation_id in sorted(digested.compacted_ids):
        audit_conversation.delay(conversation_id)
