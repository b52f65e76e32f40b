"""One fact over several compactions: its births, deaths and returns."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.lifelines import Return, trace_lifelines
from conversations.audit.model import Audit, Author, Detail, Judgement, Retention
from conversations.vocabulary import Origin
from tests.audit.segments import FactKind, Log, Outcome, fact_of, finding_of, segment_of
from tests.counting import steps

RULE = "Never push to the release branch without a review."


def audit_of(number, lines, *findings):
    segment = segment_of(lines, boundary=f"b{number}", number=number)
    return Audit(segment, tuple(findings), (), Retention(None, None, None, 0), harm_checkable=False, version="test")


def said(start, author=Author.USER, text=RULE, kind=FactKind.PROHIBITION, **fields):
    """A line at `start` and the fact in it."""
    line = Log(start).add(author, text, **fields)
    return line, fact_of(line, kind=kind)


def outcomes(line):
    return [(stage.number, stage.judgement.outcome.value) for stage in line.stages]


def test_a_fact_that_is_kept_twice_and_then_lost_has_one_line():
    first, fact = said(3)
    again, summarised = said(20, Author.SUMMARY, "Rule: never push to the release branch without review.")
    last, kept = said(40, Author.SUMMARY, "Never push to the release branch without a review!")
    audits = [
        audit_of(1, [first], finding_of(fact, Outcome.KEPT)),
        audit_of(2, [again], finding_of(summarised, Outcome.KEPT)),
        audit_of(3, [last], finding_of(kept, Outcome.FORGOTTEN)),
    ]

    [line] = trace_lifelines(audits)

    assert (line.id, line.text, line.born, line.born_before) == (fact.id, RULE, 3, 1)
    assert outcomes(line) == [(1, "kept"), (2, "kept"), (3, "forgotten")]
    assert (line.died_at, line.generations_kept) == (3, 2)


@pytest.mark.parametrize(
    ("author", "fields", "how"),
    [
        (Author.USER, {}, Return.USER),
        (Author.PASTED, {}, Return.USER),
        (Author.TOOL_RESULT, {}, Return.TOOL),
        (Author.THINKING, {}, Return.AGENT),
        (Author.HARNESS, {"origin": Origin.RESTORED}, Return.RESTORED),
        (Author.USER, {"origin": Origin.RESTORED}, Return.RESTORED),
    ],
)
def test_a_lost_fact_comes_back(author, fields, how):
    first, fact = said(3)
    back, known = said(25, author, **fields)
    audits = [
        audit_of(1, [first], finding_of(fact)),
        audit_of(2, [back], finding_of(known, Outcome.KEPT)),
    ]

    [line] = trace_lifelines(audits)

    assert (line.stages[1].came_back, line.stages[1].came_back_at) == (how, 25)
    assert line.died_at is None


def test_a_fact_that_comes_back_and_is_lost_again_died_the_second_time():
    audits = []
    for number in (1, 2):
        line, fact = said(20 * number)
        audits.append(audit_of(number, [line], finding_of(fact)))

    [line] = trace_lifelines(audits)

    assert line.died_at == 2
    assert line.stages[1].came_back is Return.USER


def test_other_facts_of_the_same_shape_stay_apart():
    port, database = said(1, text="The service listens on port 5432.", kind=FactKind.VALUE)
    other, cache = said(2, text="The cache answers on host 10.0.0.7.", kind=FactKind.VALUE)
    audits = [
        audit_of(1, [port], finding_of(database, Outcome.KEPT)),
        audit_of(2, [other], finding_of(cache, Outcome.KEPT)),
    ]

    assert len(trace_lifelines(audits)) == 2


@pytest.mark.parametrize(("text", "lines"), [(RULE, 1), ("The release branch was reviewed before the push.", 2)])
def test_a_summary_that_retells_a_rule_in_the_same_words_tells_no_other_fact(text, lines):
    first, rule = said(1)
    summary, retold = said(20, Author.SUMMARY, text, FactKind.FINDING)
    audits = [
        audit_of(1, [first], finding_of(rule, Outcome.KEPT)),
        audit_of(2, [summary], finding_of(retold, Outcome.FORGOTTEN)),
    ]

    assert len(trace_lifelines(audits)) == lines


def test_the_same_words_of_another_kind_are_another_fact():
    line, rule = said(1)
    other, ask = said(20, kind=FactKind.ASK)
    audits = [
        audit_of(1, [line], finding_of(rule, Outcome.KEPT)),
        audit_of(2, [other], finding_of(ask, Outcome.KEPT)),
    ]

    assert len(trace_lifelines(audits)) == 2


def test_a_kept_fact_that_nobody_repeats_is_held_against_the_next_summary():
    line, fact = said(1)
    lost = Judgement(Outcome.FORGOTTEN, Detail.NONE, 0.1, None, None, "test", "Not there.")
    audits = [audit_of(1, [line], finding_of(fact, Outcome.KEPT)), audit_of(2, []), audit_of(3, [])]
    asked = []

    def judge(fact, segment):
        asked.append((fact.id, segment.number))
        return lost

    [traced] = trace_lifelines(audits, judge)

    assert outcomes(traced) == [(1, "kept"), (2, "forgotten")]
    assert traced.stages[1].followed
    assert asked == [(fact.id, 2)]  # lost at 2: at 3 there is nothing to lose


def test_without_a_judge_the_line_just_ends():
    line, fact = said(1)

    [traced] = trace_lifelines([audit_of(1, [line], finding_of(fact, Outcome.KEPT)), audit_of(2, [])])

    assert outcomes(traced) == [(1, "kept")]


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(Outcome)), max_size=8), max_size=4))
def test_every_finding_is_on_exactly_one_line_in_order(plan):
    audits = []
    for number, facts in enumerate(plan, 1):
        findings, lines = [], []
        for place, (topic, outcome) in enumerate(dict(facts).items()):
            line, fact = said(100 * number + place, text=f"Topic{topic} needs the {'very ' * topic}special handling.")
            lines.append(line)
            findings.append(finding_of(fact, outcome))
        audits.append(audit_of(number, lines, *findings))

    traced = trace_lifelines(audits)

    numbers = [[stage.number for stage in line.stages] for line in traced]
    assert numbers == [sorted(set(each)) for each in numbers]
    told = {(stage.number, stage.fact) for line in traced for stage in line.stages}
    assert told <= {(audit.segment.number, finding.fact.id) for audit in audits for finding in audit.findings}
    assert {line.id for line in traced} <= {fact for _, fact in told}


def test_work_grows_with_the_number_of_facts_only():
    def work(count):
        first = []
        for place in range(count):
            line, fact = said(place, text=f"Module mod{place} calls helper{place} with flag{place} and limit{place}.")
            first.append(finding_of(replace(fact, first=place), Outcome.KEPT))
        audits = [audit_of(number, [line], *first) for number in (1, 2, 3)]
        assert len(trace_lifelines(audits)) == count
        return steps(lambda: trace_lifelines(audits))

    assert work(400) < 15 * work(40)  # tenfold; a quadratic tracer takes a hundredfold
