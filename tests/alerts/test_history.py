from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.alerts import evaluation
from conversations.alerts.evaluation import evaluate_rules
from conversations.alerts.history import KEPT, Outcome, record_outcomes, runs_of
from conversations.models import Rule, RuleRun
from conversations.vocabulary import RunState
from tests.alerts.rows import compacted, create_rule

AT = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def told(rule):
    """(minutes from AT to its begin and end, evaluations, state, events, groups, signals), the newest first."""
    return [
        (
            (row.since - AT) / MINUTE,
            (row.until - AT) / MINUTE,
            row.evaluations,
            row.state,
            row.matched,
            row.groups,
            row.told,
        )
        for row in runs_of(rule)
    ]


def test_evaluations_that_come_to_the_same_are_one_line(acme):
    rule = create_rule(acme)
    compacted(acme, at=AT - MINUTE, forgotten=1)
    evaluate_rules(AT)
    compacted(acme, at=AT + MINUTE, forgotten=2)

    evaluate_rules(AT + 2 * MINUTE)
    evaluate_rules(AT + 3 * MINUTE)

    assert told(rule) == [(0, 3, 3, "ok", 2, 0, 0)]


def test_what_came_to_something_else_is_another_line(acme):
    rule = create_rule(acme, group_by="agent")
    evaluate_rules(AT)
    for agent in ("coder", "support"):
        compacted(acme, at=AT + MINUTE, agent=agent, forgotten=7)
    evaluate_rules(AT + 2 * MINUTE)
    for agent in ("coder", "support"):
        compacted(acme, at=AT + 3 * MINUTE, agent=agent, forgotten=0)

    evaluate_rules(AT + 4 * MINUTE)

    assert told(rule) == [(4, 4, 1, "ok", 2, 0, 2), (2, 2, 1, "firing", 2, 2, 2), (0, 0, 1, "ok", 0, 0, 0)]


def test_a_line_is_an_hour_at_most(acme):
    rule = create_rule(acme)

    for number in range(0, 120, 20):
        evaluate_rules(AT + number * MINUTE)

    assert [line[:3] for line in told(rule)] == [(60, 100, 3), (0, 40, 3)]


def test_silence_is_told_from_nothing_fired(acme):
    rule = create_rule(acme, no_data="tell", quiet_minutes=60)
    compacted(acme, at=AT - 2 * HOUR, forgotten=0)

    evaluate_rules(AT)

    assert [line[3:] for line in told(rule)] == [("no_data", 1, 1, 1)]


def test_failure_is_kept_with_its_reason(acme, monkeypatch):
    unknown, broken = create_rule(acme), create_rule(acme, name="Broken")
    Rule.objects.filter(pk=unknown.pk).update(metric="of_tomorrow")
    monkeypatch.setattr(evaluation, "steps_of", lambda *_, **__: 1 / 0)

    evaluate_rules(AT)

    assert [(row.rule, row.state, row.problem) for row in RuleRun.objects.order_by("rule")] == [
        (unknown, "failed", "This version of Observatory knows no metric “of_tomorrow”."),
        (broken, "failed", "ZeroDivisionError: division by zero"),
    ]


def test_a_clock_that_is_put_back_loses_no_line(acme):
    rule = create_rule(acme)
    evaluate_rules(AT)

    evaluate_rules(AT - 5 * MINUTE)
    evaluate_rules(AT + MINUTE)

    assert sum(line[2] for line in told(rule)) == 3


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_rules_takes_one_statement(acme, django_assert_num_queries, count):
    rules = [create_rule(acme, name=f"Rule {number}") for number in range(count)]

    with django_assert_num_queries(1):
        record_outcomes(acme, [Outcome(rule.pk, RunState.OK) for rule in rules], AT)

    assert RuleRun.objects.count() == count


def test_old_lines_are_deleted(acme):
    rule, now = create_rule(acme), timezone.now()
    for age in (KEPT + HOUR, KEPT - HOUR):
        record_outcomes(acme, [Outcome(rule.pk)], now - age)

    tasks.purge()

    assert [row.until for row in RuleRun.objects.all()] == [now - KEPT + HOUR]


def test_page_and_api_tell_the_same(alice, acme):
    rule = create_rule(acme)
    record_outcomes(acme, [Outcome(rule.pk, RunState.FIRING, 12, 3, 2, 0.0015)], AT)
    record_outcomes(acme, [Outcome(rule.pk, RunState.FAILED, problem="It broke.")], AT + MINUTE)

    page = alice.get(f"/w/acme/alerts/rules/{rule.pk}/runs/").content.decode()
    rows = alice.get(f"/api/v1/rules/{rule.pk}/runs").json()["results"]
    firing = alice.get(f"/api/v1/rules/{rule.pk}/runs?state=firing").json()["results"]

    assert "of 3 groups" in page
    assert "It broke." in page
    assert [row["state"] for row in rows] == ["failed", "firing"]
    assert (firing[0]["matched"], firing[0]["slowest_ms"]) == (12, 1.5)
