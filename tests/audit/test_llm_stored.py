"""The language model's part as it is stored: real HTTP to a stand-in, a real database."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.audit import asking, llm_settings, services
from conversations.audit.llm import StageState
from conversations.models import CompactionAudit, Finding, LifeLine, LlmAnswer, LlmCall, LlmReading
from conversations.vocabulary import LlmState, Role
from tests.audit.test_services import conversation_with_losses
from tests.factories import create_compaction, create_conversation, create_message
from tests.standin.messages_api import MessagesApi, fails, refuses, says

HIDDEN = "The nightly export reads the replica, which lags by ninety seconds on Mondays."
KNOWN = "The ledger table is frozen until March and stays untouched."
SUMMARY = f"The user is migrating the billing service. {KNOWN}"


@pytest.fixture
def api(settings):
    with MessagesApi() as running:
        settings.LLM_API_KEY, settings.LLM_BASE_URL = running.api_key, running.url
        running.otherwise = answers
        yield running


def answers(received, **said):
    """What a sensible model would say: one fact found, the rule about the ledger known after all."""
    asked = received.body["messages"][0]["content"][1]["text"]
    if "Kinds: " in asked:
        found = {
            "kind": "finding",
            "text": "The nightly export reads a replica that lags on Mondays.",
            "message": 1,
            "quote": HIDDEN,
            "state": "open",
            "importance": "high",
        }
        return says({"facts": [found] if "finding" in asked.rpartition("Kinds: ")[2] else []})(received)
    return says({"verdicts": [_verdict(item, said.get("quote")) for item in _facts_in(asked)]})(received)


def _facts_in(asked):
    return json.loads(asked.partition("<facts>\n")[2].partition("\n</facts>")[0])


def _verdict(item, quote):
    known = "ledger_v1" in item["fact"]
    return {
        "id": item["id"],
        "outcome": "kept" if known else "forgotten",
        "detail": "in other words" if known else "",
        "context_quote": (quote or KNOWN) if known else "",
        "reason": "It says that the table is frozen.",
        "confidence": "high",
    }


def conversation_of(workspace):
    conversation = conversation_with_losses(workspace, SUMMARY)
    late = create_message(conversation, HIDDEN, role=Role.ASSISTANT, position=15)
    late.dropped_by = conversation.compactions.get()
    late.save()
    return conversation


def audited(conversation):
    tasks.audit_conversation.delay(conversation.pk)
    return CompactionAudit.objects.get()


def turn_comes():
    CompactionAudit.objects.exclude(llm_due_at=None).update(llm_due_at=timezone.now() - timedelta(seconds=1))


def test_without_a_key_nobody_is_asked(acme, settings):
    audit = audited(conversation_of(acme))

    assert (audit.llm_state, LlmCall.objects.count(), asking.due_compactions()) == ("off", 0, [])


def test_judgements_and_facts_of_the_model_enter_the_audit(api, acme):
    audit = audited(conversation_of(acme))

    kept = Finding.objects.get(text__contains="ledger_v1")
    assert (kept.outcome, kept.detector) == ("kept", "llm")
    assert (
        SUMMARY[kept.summary_start : kept.summary_end] == "The ledger table is frozen until March and stays untouched."
    )
    [found] = Finding.objects.filter(quote__contains="lags by ninety seconds")
    assert (found.outcome, found.detector) == ("forgotten", "llm")
    assert found.rank > 0
    assert (audit.llm_state, audit.llm_reason, audit.llm_due_at) == ("done", "", None)
    assert audit.forgotten == Finding.objects.filter(outcome="forgotten").count()
    assert LifeLine.objects.filter(text__contains="ledger_v1").count() == 1


def test_every_call_is_on_record_with_tokens_and_cost_and_without_words(api, acme):
    audit = audited(conversation_of(acme))

    calls = list(LlmCall.objects.order_by("id"))
    assert [call.purpose for call in calls] == ["extract", "extract", "extract", "judge"]
    assert {(call.workspace_id, call.compaction_id, call.outcome) for call in calls} == {
        (acme.pk, audit.compaction_id, "ok")
    }
    assert calls[1].cache_read_tokens > 0
    assert all(call.cost_usd > 0 and call.output_tokens > 0 for call in calls)
    assert audit.llm_cost_usd == sum(call.cost_usd for call in calls)


def test_a_model_that_quotes_what_is_not_there_changes_nothing(api, acme):
    api.otherwise = lambda received: answers(received, quote="The ledger must never be written to.")

    audited(conversation_of(acme))

    assert Finding.objects.get(text__contains="ledger_v1").detector != "llm"


def test_asking_again_is_free(api, acme):
    conversation = conversation_of(acme)
    compaction_id = audited(conversation).compaction_id
    before, asked = list(Finding.objects.order_by("number").values()), len(api.requests)

    tasks.ask_model.delay(compaction_id)
    tasks.audit_conversation.delay(conversation.pk)
    tasks.ask_models.delay()

    assert len(api.requests) == asked
    assert list(Finding.objects.order_by("number").values()) == before


def test_a_new_auditor_takes_the_answers_that_are_there(api, acme):
    conversation = conversation_of(acme)
    audited(conversation)
    before, asked = list(Finding.objects.order_by("number").values()), len(api.requests)

    CompactionAudit.objects.update(version="older", llm_key="older", llm_state=LlmState.OFF)
    audit = audited(conversation)

    assert (audit.version, audit.llm_state) == (services.AUDITOR_VERSION, "done")
    assert len(api.requests) == asked
    assert list(Finding.objects.order_by("number").values()) == before


def test_answers_of_one_workspace_are_not_taken_for_another(api, acme, globex):
    ours, theirs = (asking.StoreCache(create_compaction(create_conversation(each))) for each in (acme, globex))

    ours.put("key", "answer")

    assert (ours.get("key"), theirs.get("key")) == ("answer", None)


def test_a_failure_is_visible_and_asked_again_when_its_time_has_come(api, acme):
    api.otherwise = fails(401, "authentication_error", "invalid API key")
    audit = audited(conversation_of(acme))

    assert (audit.llm_state, audit.llm_attempts) == ("failed", 1)
    assert "invalid API key" in audit.llm_reason
    assert timezone.now() < audit.llm_due_at <= timezone.now() + asking.PAUSES[0]
    assert audit.state == "done"  # what the rules found stands
    tasks.ask_models.delay()
    assert CompactionAudit.objects.get().llm_attempts == 1

    api.otherwise = answers
    turn_comes()
    tasks.ask_models.delay()

    assert CompactionAudit.objects.get().llm_state == "done"
    assert Finding.objects.get(text__contains="ledger_v1").detector == "llm"


def test_failing_ends_after_the_last_pause(api, acme):
    api.otherwise = fails(401, "authentication_error", "invalid API key")
    audited(conversation_of(acme))

    for _ in range(len(asking.PAUSES)):
        assert CompactionAudit.objects.get().llm_due_at
        turn_comes()
        tasks.ask_models.delay()

    assert CompactionAudit.objects.get().llm_due_at is None
    assert len(api.requests) == 1 + len(asking.PAUSES)


def test_turns_that_end_without_a_word_come_to_an_end(api, acme, monkeypatch):
    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(asking, "consult", dies)
        for _ in range(len(asking.PAUSES) + 1):
            with pytest.raises(SystemExit):
                asked_about(acme)
            assert CompactionAudit.objects.get().llm_due_at > timezone.now()  # nobody else asks meanwhile
            turn_comes()
    tasks.ask_models.delay()

    audit = CompactionAudit.objects.get()
    assert (audit.llm_state, audit.llm_due_at, api.requests) == ("failed", None, [])
    assert audit.llm_reason == "Asking was broken off 5 times."


def asked_about(workspace):
    if CompactionAudit.objects.exists():
        tasks.ask_models.delay()
    else:
        audited(conversation_of(workspace))


def test_refusals_are_visible(api, acme):
    api.otherwise = refuses("I would rather not.")

    audit = audited(conversation_of(acme))

    assert audit.llm_state == "partial"
    assert "no usable answer" in audit.llm_reason
    assert set(LlmCall.objects.values_list("outcome", "error")) == {("refused", "I would rather not.")}
    assert audit.llm_due_at is not None


def test_a_gap_in_a_later_attempt_loses_nothing_that_was_read(api, acme):
    conversation = conversation_of(acme)
    audit = audited(conversation)
    LlmAnswer.objects.all().delete()
    api.otherwise = refuses()
    CompactionAudit.objects.update(llm_key="", llm_state=LlmState.OFF)

    tasks.audit_conversation.delay(conversation.pk)

    assert CompactionAudit.objects.get().llm_state == "partial"
    assert Finding.objects.get(text__contains="ledger_v1").detector == "llm"
    assert LlmReading.objects.get().compaction_id == audit.compaction_id


@pytest.mark.parametrize(("hours", "state"), [(0, "over_day_budget"), (-25, "done")])
def test_the_day_budget_counts_what_the_workspace_spent_today(api, acme, settings, hours, state):
    settings.LLM_DAY_BUDGET_USD = 5.0
    call = LlmCall.objects.create(workspace=acme, model="m", outcome="ok", cost_usd=Decimal("4.9999"), duration_ms=1)
    LlmCall.objects.filter(pk=call.pk).update(at=timezone.now() + timedelta(hours=hours))

    audit = audited(conversation_of(acme))

    assert audit.llm_state == state
    if state == "over_day_budget":
        assert audit.llm_due_at.hour == audit.llm_due_at.minute == 0
        assert audit.llm_due_at > timezone.now()
        assert api.requests == []


def test_another_workspace_has_a_budget_of_its_own(api, acme, globex, settings):
    settings.LLM_DAY_BUDGET_USD = 5.0
    LlmCall.objects.create(workspace=globex, model="m", outcome="ok", cost_usd=Decimal("4.9999"), duration_ms=1)

    assert audited(conversation_of(acme)).llm_state == "done"


def test_a_compaction_budget_is_never_retried(api, acme, settings):
    settings.LLM_COMPACTION_BUDGET_USD = 0.0

    audit = audited(conversation_of(acme))

    assert (audit.llm_state, audit.llm_due_at, api.requests) == ("over_compaction_budget", None, [])


def test_a_model_without_a_price_is_told(api, acme, settings):
    settings.LLM_MODEL = "unheard-of"

    audit = audited(conversation_of(acme))

    assert audit.llm_state == "failed"
    assert audit.llm_reason == "There is no price for unheard-of. Set OBSERVATORY_LLM_PRICES, or choose another model."


@pytest.mark.parametrize("prices", [["1", "5"], ["1", "5", "x", "1"], ["1", "2", "3", "4", "5"]])
def test_prices_are_four_numbers(settings, prices):
    settings.LLM_PRICES = prices

    with pytest.raises(llm_settings.BadInput, match="four numbers"):
        llm_settings.llm_settings()


def test_own_prices_are_taken(settings):
    settings.LLM_MODEL, settings.LLM_PRICES = "house-model", ["1", "2", "3", "4"]

    assert llm_settings.llm_settings().price.cost(1_000_000, 0, 0, 1_000_000) == 5.0


def test_every_state_of_the_stage_has_a_name_in_the_store():
    assert {state.value for state in StageState} <= {state.value for state in LlmState}
