"""Has a language model look at what was audited: once for the same input, within budgets, and again where it failed."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from conversations.audit import judge
from conversations.audit.consult import Consultation, consult
from conversations.audit.judge import Reading
from conversations.audit.llm import CallRecord, StageState
from conversations.audit.llm_settings import llm_settings
from conversations.audit.queries import segment_of
from conversations.errors import BadInput
from conversations.models import Compaction, CompactionAudit, Conversation, LlmAnswer, LlmCall, LlmReading
from conversations.vocabulary import AuditState, LlmState

log = logging.getLogger(__name__)

#: Nobody else asks about a compaction for so long; a job that died is taken up where its last answer is, which is kept.
LEASE = timedelta(seconds=settings.VISIBILITY_SECONDS)
#: How long to wait after the first failure, the second … then it is left as it is until the input changes.
PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
#: What may end better later. A compaction's own budget will not grow.
PASSING = frozenset({StageState.PARTIAL, StageState.FAILED})


class StoreRecorder:
    """Keeps the calls on one compaction, and counts what its workspace spent today (UTC)."""

    def __init__(self, compaction: Compaction) -> None:
        self._compaction = compaction

    def record(self, call: CallRecord) -> None:
        """A row a call, written before its answer is used."""
        LlmCall.objects.create(
            workspace_id=self._compaction.workspace_id,
            compaction=self._compaction,
            purpose=call.task,
            model=call.model,
            outcome=call.outcome,
            error=call.detail,
            attempt=call.attempt,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cache_write_tokens=call.cache_write_tokens,
            cache_read_tokens=call.cache_read_tokens,
            cost_usd=Decimal(str(round(call.cost_usd, 6))),
            duration_ms=call.duration_ms,
            request_id=call.request_id[:120],
        )

    def spent_today_usd(self) -> float:
        """One index scan."""
        today = LlmCall.objects.filter(workspace=self._compaction.workspace_id, at__gte=_midnight(timezone.now()))
        return float(today.aggregate(spent=Sum("cost_usd"))["spent"] or 0)


class StoreCache:
    """The answers that one workspace has paid for; no other one's are ever looked at."""

    def __init__(self, compaction: Compaction) -> None:
        self._workspace_id, self._compaction = compaction.workspace_id, compaction

    def get(self, key: str) -> str | None:
        """None for none."""
        rows = LlmAnswer.objects.filter(workspace=self._workspace_id, key=key)
        return rows.values_list("answer", flat=True).first()

    def put(self, key: str, answer: str) -> None:
        """The first answer stays."""
        row = LlmAnswer(workspace_id=self._workspace_id, key=key, answer=answer, compaction=self._compaction)
        LlmAnswer.objects.bulk_create([row], ignore_conflicts=True)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


# --- what is to be asked ----------------------------------------------------------------------------------------------


def mark_unasked(conversation: Conversation) -> list[int]:
    """Note which compactions of the conversation the model has not looked at as they are now; their ids."""
    if not settings.LLM_API_KEY:
        return []
    audits = CompactionAudit.objects.filter(workspace=conversation.workspace_id, compaction__conversation=conversation)
    unasked = [audit for audit in audits.filter(state=AuditState.DONE) if audit.llm_key != _key_of(audit)]
    for audit in unasked:
        audit.llm_key, audit.llm_state, audit.llm_reason = _key_of(audit), LlmState.WAITING, ""
        audit.llm_attempts, audit.llm_due_at = 0, timezone.now()
    CompactionAudit.objects.bulk_update(
        unasked, ["llm_key", "llm_state", "llm_reason", "llm_attempts", "llm_due_at"], batch_size=500
    )
    return [audit.compaction_id for audit in unasked]


def _key_of(audit: CompactionAudit) -> str:
    """Changes when another answer may come. The same questions among the new ones are answered from what is stored."""
    return f"{audit.input_key} {audit.version} {settings.LLM_MODEL}"


def due_compactions(*, limit: int = 20) -> list[int]:
    """Compactions whose turn has come, the longest waiting first."""
    if not settings.LLM_API_KEY:
        return []
    due = CompactionAudit.objects.filter(llm_due_at__lte=timezone.now()).order_by("llm_due_at")
    return list(due.values_list("compaction_id", flat=True)[:limit])


# --- asking -----------------------------------------------------------------------------------------------------------


def ask(compaction_id: int) -> Compaction | None:
    """Ask about one compaction whose turn has come, and store what is believed. None where somebody else does, or did.

    The audit is to be made again with the answer: see `services.audit_compaction`.
    """
    compaction = _claimed(compaction_id)
    if compaction is None:
        return None
    key = compaction.audit.input_key
    consultation = _consulted(compaction)
    _keep_reading(compaction, key, consultation.reading)
    _keep_state(compaction, consultation)
    return compaction


def _claimed(compaction_id: int) -> Compaction | None:
    if not settings.LLM_API_KEY:
        return None
    due = CompactionAudit.objects.filter(compaction=compaction_id, llm_due_at__lte=timezone.now())
    # A turn that ended without a word, because its process died, was a turn: else it would come for ever.
    reason = f"Asking was broken off {len(PAUSES) + 1} times."
    due.filter(llm_attempts__gt=len(PAUSES)).update(llm_state=LlmState.FAILED, llm_reason=reason, llm_due_at=None)
    if not due.update(llm_due_at=timezone.now() + LEASE, llm_attempts=F("llm_attempts") + 1):
        return None
    return Compaction.objects.select_related("audit", "summary_message", "conversation").get(pk=compaction_id)


def _consulted(compaction: Compaction) -> Consultation:
    recorder, cache = StoreRecorder(compaction), StoreCache(compaction)
    try:
        return consult(segment_of(compaction), llm_settings(), recorder, cache)
    except BadInput as error:
        return _nothing(f"{error.message} {error.mend}".strip())
    except Exception:
        log.exception("asking_failed compaction=%s", compaction.pk)
        return _nothing("Asking failed on our side; the server's log says where.")


def _nothing(reason: str) -> Consultation:
    return Consultation(Reading(), StageState.FAILED, reason, 0, 0.0)


def _keep_reading(compaction: Compaction, key: str, reading: Reading) -> None:
    """What an earlier attempt read of the same input stays where this one did not come as far."""
    whole = judge.merged([reading, reading_of(compaction, key)])
    LlmReading.objects.update_or_create(
        workspace_id=compaction.workspace_id,
        compaction=compaction,
        defaults={"input_key": key, "reading": msgspec.to_builtins(whole)},
    )


def _keep_state(compaction: Compaction, consultation: Consultation) -> None:
    calls = LlmCall.objects.filter(workspace=compaction.workspace_id, compaction=compaction)
    turns, state = compaction.audit.llm_attempts, consultation.state
    values: dict[str, Any] = {
        "llm_state": LlmState(state.value),
        "llm_reason": consultation.reason,
        "llm_cost_usd": calls.aggregate(spent=Sum("cost_usd"))["spent"] or 0,
        "llm_attempts": 0 if state is StageState.OVER_DAY_BUDGET else turns,
        "llm_due_at": _next_turn(state, turns),
    }
    # Only if nothing newer is to be asked: what changed meanwhile has been marked again, under another key.
    CompactionAudit.objects.filter(compaction=compaction, llm_key=compaction.audit.llm_key).update(**values)


def _next_turn(state: StageState, turns: int) -> datetime | None:
    if state is StageState.OVER_DAY_BUDGET:
        return _midnight(timezone.now()) + timedelta(days=1)
    if state in PASSING and turns <= len(PAUSES):
        return timezone.now() + PAUSES[turns - 1]
    return None


# --- what was read ----------------------------------------------------------------------------------------------------


def reading_of(compaction: Compaction, input_key: str) -> Reading:
    """What is believed of the model's answers on this input; nothing where it was another."""
    rows: Iterable[LlmReading] = LlmReading.objects.filter(compaction=compaction, input_key=input_key)
    return next((msgspec.convert(row.reading, Reading) for row in rows), Reading())
