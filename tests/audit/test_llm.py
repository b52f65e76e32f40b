"""The language-model stage, through the real client over real HTTP."""

import threading

import pytest

from conversations.audit.judge import BATCH
from conversations.audit.llm import CallOutcome, LlmSettings, Price, StageState, run_stage
from conversations.errors import BadInput
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of, segment_of
from tests.standin.messages_api import (
    MessagesApi,
    fails,
    hangs_up,
    is_cut_off,
    is_no_message,
    is_not_json,
    overloaded,
    rate_limited,
    refuses,
    says,
    waits_for,
)

MODEL = "claude-haiku-4-5"
PRICE = Price(input=1.0, output=5.0, cache_write=1.25, cache_read=0.1)
SUMMARY = "The service listens on port 5432 and the tests were not run yet."


class Book:
    """Recorder and cache in memory."""

    def __init__(self, spent=0.0):
        self.calls, self.answers, self.spent = [], {}, spent

    def record(self, call):
        self.calls.append(call)

    def spent_today_usd(self):
        return self.spent + sum(call.cost_usd for call in self.calls)

    def get(self, key):
        return self.answers.get(key)

    def put(self, key, answer):
        self.answers[key] = answer


@pytest.fixture
def api():
    with MessagesApi() as running:
        yield running


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def compaction():
    log = Log()
    lines = [log.user("Use port 5432, please."), log.agent("The helper parse_all lives in tools/parse.py line 40.")]
    return segment_of(lines, SUMMARY)


def settings_for(api, **fields):
    defaults = {"api_key": api.api_key, "model": MODEL, "prices": {MODEL: PRICE}, "base_url": api.url, "extract": False}
    return LlmSettings(**{**defaults, **fields})


def facts_of(compaction):
    return [fact_of(line) for line in compaction.dropped]


def verdict(number=0, outcome="kept", quote="listens on port 5432", **fields):
    defaults = {"id": f"f{number}", "outcome": outcome, "detail": "", "context_quote": quote, "reason": "It says so."}
    return {**defaults, "confidence": "high", **fields}


def judged(*verdicts):
    return says({"verdicts": list(verdicts)})


def test_without_a_key_the_stage_is_off(api, book, compaction):
    result = run_stage(compaction, facts_of(compaction), settings_for(api, api_key=""), book, book)

    assert (result.state, result.calls, api.requests) == (StageState.OFF, 0, [])


def test_a_model_without_a_price_is_refused(api, book, compaction):
    with pytest.raises(BadInput, match="no price for claude-opus-5-5"):
        run_stage(compaction, facts_of(compaction), settings_for(api, model="claude-opus-5-5"), book, book)


def test_a_quotation_that_stands_in_the_summary_is_believed(api, book, compaction):
    facts = facts_of(compaction)
    api.replies = [judged(verdict(0), verdict(1, "forgotten", ""))]

    result = run_stage(compaction, facts, settings_for(api), book, book)

    assert result.state is StageState.DONE
    kept, forgotten = (result.reading.judgements[fact.id] for fact in facts)
    assert (kept.outcome, SUMMARY[kept.start : kept.end]) == (Outcome.KEPT, "listens on port 5432")
    assert (forgotten.outcome, forgotten.start, forgotten.detector) == (Outcome.FORGOTTEN, None, "llm")


def test_a_judge_that_quotes_what_is_not_there_is_not_believed(api, book, compaction):
    facts = facts_of(compaction)
    api.replies = [judged(verdict(0, quote="listens on port 6543"), verdict(7))]

    result = run_stage(compaction, facts, settings_for(api), book, book)

    assert result.reading.judgements == {}
    assert result.reading.void == {
        "quotes what is not in the context after": 1,
        "names no fact that was asked about": 1,
        "left unanswered": 1,
    }


def test_extracted_facts_must_stand_in_the_source(api, book, compaction):
    found = {"kind": "finding", "text": "parse_all is in tools/parse.py.", "state": "open", "importance": "high"}
    api.replies = [
        says({"facts": []}),
        says(
            {
                "facts": [
                    {**found, "message": 0, "quote": "parse_all lives in tools/parse.py"},
                    {**found, "message": 1, "quote": "parse_all lives in src/parse.py"},
                ]
            }
        ),
        says({"facts": []}),
    ]

    result = run_stage(compaction, [], settings_for(api, extract=True), book, book)

    [fact] = result.reading.facts
    assert (fact.spans[0].message, fact.quote) == ("m1", "parse_all lives in tools/parse.py")
    assert result.reading.void == {"quotes what is not in the messages": 1}


def test_the_prefix_is_written_to_the_prompt_cache_once_and_read_afterwards(api, book, compaction):
    api.otherwise = says({"facts": []})

    run_stage(compaction, [], settings_for(api, extract=True), book, book)

    written = [call.cache_write_tokens for call in book.calls]
    read = [call.cache_read_tokens for call in book.calls]
    assert written[0] > 0
    assert written[1:] == [0, 0]
    assert read == [0, written[0], written[0]]


def test_structured_output_is_asked_for_and_facts_go_in_batches(api, book, compaction):
    facts = [fact_of(compaction.dropped[0], id=f"fact{number}") for number in range(BATCH + 1)]
    api.replies = [judged(*(verdict(n) for n in range(BATCH))), judged(verdict(0))]

    result = run_stage(compaction, facts, settings_for(api), book, book)

    assert len(result.reading.judgements) == BATCH + 1
    assert [request.body["output_config"]["format"]["type"] for request in api.requests] == ["json_schema"] * 2
    assert api.requests[0].headers["anthropic-version"]


def test_an_answer_is_paid_for_once(api, book, compaction):
    facts = facts_of(compaction)
    api.replies = [judged(verdict(0), verdict(1, "forgotten", ""))]
    first = run_stage(compaction, facts, settings_for(api), book, book)

    again = run_stage(compaction, facts[::-1], settings_for(api), book, book)

    assert again.reading.judgements == first.reading.judgements
    assert (again.calls, again.cached, again.cost_usd) == (0, 2, 0.0)
    assert len(api.requests) == 1


def test_another_summary_is_another_question(api, book, compaction):
    fact = facts_of(compaction)[0]
    api.replies = [judged(verdict(0)), judged(verdict(0, "forgotten", ""))]
    run_stage(compaction, [fact], settings_for(api), book, book)

    other = run_stage(segment_of(compaction.dropped, "Nothing."), [fact], settings_for(api), book, book)

    assert other.reading.judgements[fact.id].outcome is Outcome.FORGOTTEN
    assert other.cached == 0


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (refuses("Not this."), CallOutcome.REFUSED),
        (is_cut_off(), CallOutcome.TRUNCATED),
        (says("I think they are all kept."), CallOutcome.MALFORMED),
        (says({"verdicts": [{"id": 3}]}), CallOutcome.MALFORMED),
        (is_not_json(), CallOutcome.MALFORMED),
        (is_no_message(), CallOutcome.MALFORMED),
        (rate_limited(), CallOutcome.RATE_LIMITED),
        (overloaded(), CallOutcome.OVERLOADED),
        (fails(500, "api_error", retry_after="0.01"), CallOutcome.SERVER_ERROR),
        (hangs_up(), CallOutcome.UNREACHABLE),
    ],
)
def test_trouble_is_recorded_and_asked_again(api, book, compaction, trouble, outcome):
    fact = facts_of(compaction)[0]
    api.replies = [trouble, judged(verdict(0))]

    result = run_stage(compaction, [fact], settings_for(api, sdk_retries=0), book, book)

    assert [call.outcome for call in book.calls] == [outcome, CallOutcome.OK]
    assert [call.attempt for call in book.calls] == [1, 2]
    assert book.calls[0].detail
    assert result.failures == {outcome: 1}
    assert result.state is StageState.DONE
    assert result.reading.judgements[fact.id].outcome is Outcome.KEPT


@pytest.mark.parametrize("trouble", [rate_limited(), overloaded()])
def test_the_client_waits_as_long_as_it_is_told_and_says_how_often(api, book, compaction, trouble):
    api.replies = [trouble, trouble, judged(verdict(0))]

    run_stage(compaction, facts_of(compaction)[:1], settings_for(api), book, book)

    assert [(call.outcome, call.sdk_retries) for call in book.calls] == [(CallOutcome.OK, 2)]


def test_a_timeout_is_recorded_and_asked_again(api, book, compaction):
    released = threading.Event()
    api.replies = [waits_for(released, judged(verdict(0))), judged(verdict(0))]

    result = run_stage(
        compaction, facts_of(compaction)[:1], settings_for(api, sdk_retries=0, timeout_seconds=0.5), book, book
    )
    released.set()

    assert [call.outcome for call in book.calls] == [CallOutcome.TIMEOUT, CallOutcome.OK]
    assert result.state is StageState.DONE


def test_an_api_that_stays_down_ends_the_stage_with_what_it_has(api, book, compaction):
    facts = [fact_of(compaction.dropped[0], id=f"fact{number}") for number in range(3 * BATCH)]
    api.replies = [judged(verdict(0))]
    api.otherwise = overloaded()

    result = run_stage(compaction, facts, settings_for(api, sdk_retries=0), book, book)

    assert result.state is StageState.FAILED
    assert "overloaded" in result.reason
    assert len(result.reading.judgements) == 1
    assert len(api.requests) == 3  # one answer, then two attempts at the second batch and none at the third


def test_a_refused_key_is_not_tried_again(api, book, compaction):
    result = run_stage(compaction, facts_of(compaction), settings_for(api, api_key="wrong"), book, book)

    assert (result.state, result.calls) == (StageState.FAILED, 1)
    assert "401: invalid API key" in result.reason


def test_a_question_that_is_always_refused_leaves_the_others_their_answers(api, book, compaction):
    facts = [fact_of(compaction.dropped[0], id=f"fact{number}") for number in range(BATCH + 1)]
    api.replies = [refuses(), refuses(), judged(verdict(0))]

    result = run_stage(compaction, facts, settings_for(api), book, book)

    assert (result.state, result.failures) == (StageState.PARTIAL, {CallOutcome.REFUSED: 2})
    assert list(result.reading.judgements) == [f"fact{BATCH}"]


def test_a_used_up_day_asks_nothing_more(api, compaction):
    book = Book(spent=9.999)

    result = run_stage(compaction, facts_of(compaction), settings_for(api, usd_per_day=10.0), book, book)

    assert (result.state, api.requests) == (StageState.OVER_DAY_BUDGET, [])
    assert "$10.00 a day" in result.reason


def test_the_budget_of_a_compaction_is_never_crossed(api, book, compaction):
    facts = [fact_of(compaction.dropped[0], id=f"fact{number}") for number in range(5 * BATCH)]
    usage = {"input_tokens": 5_000, "output_tokens": 2_000}
    api.otherwise = says({"verdicts": []}, usage=usage)

    result = run_stage(compaction, facts, settings_for(api, usd_per_compaction=0.05), book, book)

    assert result.state is StageState.OVER_COMPACTION_BUDGET
    assert 0 < result.cost_usd <= 0.05
    assert result.cost_usd == pytest.approx(result.calls * (5_000 * 1.0 + 2_000 * 5.0) / 1e6)
    assert "$0.05 per compaction" in result.reason


def test_records_hold_no_text_of_the_conversation(api, book, compaction):
    api.replies = [judged(verdict(0))]

    run_stage(compaction, facts_of(compaction)[:1], settings_for(api), book, book)

    assert "5432" in api.requests[0].text()
    assert "5432" not in repr(book.calls)
