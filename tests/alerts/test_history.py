from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.alerts import evaluation
from conversations.alerts.evaluation import definition_of, evaluate_rules
from conversations.alerts.history import KEPT, Outcome, record_outcomes, runs_of
from conversations.alerts.preview import preview
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


def figures(rule):
    """(nearest figure, whose it is, the minutes of its events), the newest first."""
    return [(run.value, run.worst, [at for _, at in run.places]) for run in runs_of(rule)]


def test_figure_nearest_to_firing_is_kept_with_its_events(acme):
    rule = create_rule(acme, group_by="agent")
    evaluate_rules(AT)
    compacted(acme, at=AT + MINUTE, agent="coder", forgotten=2)
    nearest = compacted(acme, at=AT + 2 * MINUTE, agent="support", forgotten=4)
    evaluate_rules(AT + 3 * MINUTE)
    compacted(acme, at=AT + 4 * MINUTE, agent="coder", forgotten=1)

    evaluate_rules(AT + 5 * MINUTE)
    evaluate_rules(AT + 6 * MINUTE)
    run = runs_of(rule).get()

    assert (run.value, run.worst, [pk for pk, _ in run.places]) == (4, "support", [nearest.pk])


def test_lowest_figure_is_the_nearest_where_a_rule_fires_below(acme):
    rule = create_rule(acme, metric="retention", direction="below", warning=40)
    evaluate_rules(AT)
    for minutes, retention in ((1, 0.9), (3, 0.5), (5, 0.8)):
        compacted(acme, at=AT + minutes * MINUTE, audit={"retention": retention})
        evaluate_rules(AT + (minutes + 1) * MINUTE)

    assert [value for value, *_ in figures(rule)] == [50]


def test_window_has_a_figure_when_it_was_looked_at(acme):
    """One of an hour at 9:15, of which the first evaluation, at 9:10, knows nothing but the look at 9:00."""
    rule = create_rule(acme, metric="compactions", aggregation="count", window_minutes=60, warning=5)
    for minutes in (-20, -15, 3):
        compacted(acme, at=AT + minutes * MINUTE)
    evaluate_rules(AT)
    evaluate_rules(AT + 2 * MINUTE)
    before = figures(rule)

    evaluate_rules(AT + 6 * MINUTE)

    assert [value for value, *_ in before] == [2]
    assert [value for value, *_ in figures(rule)] == [3]


def test_what_goes_on_firing_says_its_figure_in_the_next_hour(acme):
    rule = create_rule(acme)
    compacted(acme, at=AT - MINUTE, forgotten=7)
    evaluate_rules(AT)

    evaluate_rules(AT + HOUR)

    assert [(value, len(places)) for value, _, places in figures(rule)] == [(7, 1), (7, 1)]


def test_longest_pause_is_kept(acme):
    rule = create_rule(acme)
    for minutes in (0, 1, 5, 6):
        evaluate_rules(AT + minutes * MINUTE)

    assert [run.gap for run in runs_of(rule)] == [4 * MINUTE]


def test_figures_are_those_of_the_preview(acme):
    """What the rule's page says it would have told, and what it says it saw, are of the same readings."""
    rule = create_rule(acme, aggregation="mean", window_minutes=60, group_by="agent", warning=3)
    for number in range(24):
        compacted(acme, at=AT + number * 5 * MINUTE, agent=f"a{number % 2}", forgotten=number % 7)
    for number in range(-1, 125):
        evaluate_rules(AT + number * MINUTE)

    looked = preview(acme, definition_of(rule), 7, AT + 124 * MINUTE).readings

    assert max(value for value, *_ in figures(rule) if value is not None) == max(each.value for each in looked)


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


def test_page_and_api_link_to_the_events(alice, acme, django_assert_num_queries):
    rule = create_rule(acme, group_by="agent")
    compaction = compacted(acme, at=AT - MINUTE, forgotten=7)
    evaluate_rules(AT)

    page = alice.get(f"/w/acme/alerts/rules/{rule.pk}/runs/").content.decode()
    [row] = alice.get(f"/api/v1/rules/{rule.pk}/runs").json()["results"]

    assert f'href="/w/acme/compactions/{compaction.pk}/"' in page
    assert "7 facts" in page
    assert (row["value"], row["worst"], row["longest_pause_s"]) == (7, "coder", None)
    assert [(each["kind"], each["id"]) for each in row["evidence"]] == [("compaction", compaction.pk)]
