"""What a language model says of a compaction, as the audit takes it in. Pure."""

import pytest

from conversations.audit.audit import audit_segment
from conversations.audit.consult import consult, unsure
from conversations.audit.judge import Reading
from conversations.audit.llm import StageState
from conversations.audit.memory import Book
from conversations.audit.model import Author, Detail, Fact, FactKind, Judgement, Span
from conversations.audit.told import overlap, with_facts
from conversations.vocabulary import Outcome, SummaryState
from tests.audit.segments import Log, segment_of
from tests.audit.test_llm import settings_for
from tests.standin.messages_api import MessagesApi, says

RULE = "Never write to the table ledger_v1: the auditors have frozen it until March."
HIDDEN = "The nightly export reads the replica, which lags by ninety seconds on Mondays."


@pytest.fixture
def api():
    with MessagesApi() as running:
        yield running


@pytest.fixture
def segment():
    log = Log()
    return segment_of([log.user(RULE), log.agent(HIDDEN), log.agent(HIDDEN)], "The billing service is being migrated.")


def fact_at(segment, number, start=0, end=None, name="llm"):
    line = segment.dropped[number]
    end = len(line.text) if end is None else end
    span = Span(line.message, line.block, start, end)
    return Fact(
        name, FactKind.FINDING, "The export lags.", line.text[start:end], (span,), Author.ASSISTANT, line.position,
        line.position, cues=("llm",),
    )  # fmt: skip


def test_a_judgement_goes_before_the_rules_own(segment):
    [rule] = [finding.fact for finding in audit_segment(segment).findings if "ledger_v1" in finding.fact.text]
    said = Judgement(Outcome.KEPT, Detail.REWORDED, 0.93, 0, 11, "llm", "It is said.")

    audit = audit_segment(segment, Reading({rule.id: said}))

    [finding] = [finding for finding in audit.findings if finding.fact.id == rule.id]
    assert (finding.judgement, finding.rank) == (said, 0.0)
    assert audit.retention.value > audit_segment(segment).retention.value


def test_a_fact_that_is_found_twice_is_one_finding(segment):
    audit = audit_segment(segment, Reading(facts=(fact_at(segment, 1, 0, 30), fact_at(segment, 2, 0, 30))))

    assert [finding.fact.id for finding in audit.findings].count("llm") <= 1
    assert len({finding.fact.id for finding in audit.findings}) == len(audit.findings)


@pytest.mark.parametrize(
    ("start", "end", "new"), [(0, 78, False), (0, 50, False), (0, 30, True), (50, 78, True), (20, 60, False)]
)
def test_a_fact_that_stands_where_another_does_is_not_new(segment, start, end, new):
    known = fact_at(segment, 1, 0, 78, name="rules")

    facts = with_facts([known], [fact_at(segment, 1, start, end)])

    assert [fact.id for fact in facts] == ["rules", "llm"][: 1 + new]


def test_overlap_is_a_share_of_both():
    assert overlap(Span("m", 0, 0, 10), Span("m", 0, 5, 15)) == pytest.approx(1 / 3)
    assert overlap(Span("m", 0, 0, 10), Span("m", 0, 10, 20)) == 0


def test_losses_are_unsure_the_worst_first(segment):
    audit = audit_segment(segment)

    assert unsure(audit)[0] == audit.findings[0].fact
    assert {fact.id for fact in unsure(audit)} >= {
        finding.fact.id for finding in audit.findings if finding.judgement.outcome is Outcome.FORGOTTEN
    }


def test_what_cannot_be_read_is_not_asked_about(api):
    log = Log()
    segment = segment_of([log.user(RULE)], "", summary_state=SummaryState.ENCRYPTED)

    told = consult(segment, settings_for(api), Book(), Book())

    assert (told.state, told.calls, api.requests) == (StageState.OFF, 0, [])


def test_both_rounds_share_one_budget(api, segment):
    dear = {"input_tokens": 1, "output_tokens": 8_000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    api.replies = [says({"facts": []}, usage=dear)] * 3  # $0.04 each
    api.otherwise = says({"verdicts": []})
    book = Book()

    told = consult(segment, settings_for(api, extract=True, usd_per_compaction=0.13), book, book)

    assert [call.task for call in book.calls] == ["extract"] * 3
    assert told.state is StageState.OVER_COMPACTION_BUDGET
    assert told.cost_usd == pytest.approx(0.12, rel=0.01)
