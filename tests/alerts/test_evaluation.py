import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from conversations import tasks
from conversations.alerts import evaluation
from conversations.alerts.evaluation import evaluate_rules
from conversations.models import Incident, Rule, RuleProgress
from conversations.ops import metrics
from tests.alerts.rows import compacted, create_rule, incidents
from tests.factories import START, create_batch, create_conversation

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_rule_opens_an_incident_and_resolves_it(acme):
    rule = create_rule(acme)
    bad = compacted(acme, at=START, forgotten=7)

    tick = evaluate_rules(START + MINUTE)
    incident = Incident.objects.get()

    assert (tick.rules, tick.signals, tick.failed) == (1, 1, 0)
    assert (incident.rule, incident.since, incident.value, incident.threshold) == (rule, START, 7, 5)
    assert incident.summary == "facts forgotten per compaction 7 facts, above 5 facts"
    assert [(each["kind"], each["id"]) for each in incident.evidence] == [("compaction", bad.pk)]

    compacted(acme, at=START + 2 * MINUTE, forgotten=1)
    evaluate_rules(START + 3 * MINUTE)

    assert incidents() == [("", 0, 2, "resolved")]


def test_evaluating_again_tells_nothing_again(acme):
    create_rule(acme)
    compacted(acme, at=START, forgotten=7)

    for number in range(5):
        evaluate_rules(START + (number + 1) * MINUTE)

    assert incidents() == [("", 0, None, "open")]


def test_what_came_and_went_between_two_evaluations_is_told(acme):
    create_rule(acme)
    evaluate_rules(START)
    for number, forgotten in enumerate((7, 1, 8, 1), 1):
        compacted(acme, at=START + number * MINUTE, forgotten=forgotten)

    evaluate_rules(START + 10 * MINUTE)

    assert incidents() == [("", 1, 2, "resolved"), ("", 3, 4, "resolved")]


def test_what_was_over_before_the_rule_was_made_is_not_told(acme):
    compacted(acme, at=START, forgotten=7)
    compacted(acme, at=START + MINUTE, forgotten=0)
    create_rule(acme)

    evaluate_rules(START + HOUR)

    assert incidents() == []


def test_many_firings_at_once_are_one_incident(acme):
    create_rule(acme)
    evaluate_rules(START)
    for number in range(1, 21):
        compacted(acme, at=START + number * MINUTE, forgotten=9 * (number % 2))

    evaluate_rules(START + HOUR)

    assert incidents() == [("", 1, 20, "resolved")]


def test_groups_have_incidents_of_their_own(acme):
    create_rule(acme, group_by="agent")
    compacted(acme, at=START, agent="coder", forgotten=9)
    compacted(acme, at=START, agent="support", forgotten=9)
    compacted(acme, at=START, agent="analyst", forgotten=1)

    evaluate_rules(START + MINUTE)

    assert sorted(group for group, *_ in incidents()) == ["coder", "support"]


def test_changed_rule_resolves_what_it_would_not_have_opened(acme):
    rule = create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    evaluate_rules(START + MINUTE)
    Rule.objects.filter(pk=rule.pk).update(warning=20)

    evaluate_rules(START + 2 * MINUTE)

    assert Incident.objects.get().state == "resolved"


def test_changed_rule_goes_on_with_what_it_would_have_opened_too(acme):
    rule = create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    evaluate_rules(START + MINUTE)
    Rule.objects.filter(pk=rule.pk).update(warning=6)

    evaluate_rules(START + 2 * MINUTE)

    assert incidents() == [("", 0, None, "open")]


def test_no_data_is_told_where_the_rule_says_so(acme):
    create_rule(acme, no_data="tell", quiet_minutes=60)
    compacted(acme, at=START, forgotten=1)
    evaluate_rules(START + MINUTE)
    assert incidents() == []

    evaluate_rules(START + 2 * HOUR)

    assert incidents() == [("", 60, None, "open")]
    assert "no data" in Incident.objects.get().summary


def test_silence_of_an_agent_is_told(acme):
    create_rule(
        acme, metric="arrivals", aggregation="count", direction="below", warning=1, window_minutes=60, group_by="agent"
    )
    conversation = create_conversation(acme, agent="coder")
    batch = create_batch(acme, found={"conversations": [conversation.external_id]})
    type(batch).objects.filter(pk=batch.pk).update(received_at=START)
    evaluate_rules(START + 30 * MINUTE)
    assert incidents() == []

    evaluate_rules(START + 3 * HOUR)

    assert incidents() == [("coder", 75, None, "open")]


def test_disabled_rules_are_not_evaluated(acme):
    create_rule(acme, enabled=False)
    compacted(acme, at=START, forgotten=9)

    assert evaluate_rules(START + MINUTE).rules == 0


def test_rule_that_cannot_be_evaluated_says_so_and_stops_no_other(acme):
    broken = create_rule(acme, name="Broken", metric="no_such_metric")
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)

    tick = evaluate_rules(START + MINUTE)

    assert (tick.rules, tick.failed) == (2, 1)
    assert RuleProgress.objects.get(rule=broken).problem == (
        "This version of Observatory knows no metric “no_such_metric”."
    )
    assert len(incidents()) == 1


def test_rule_that_fails_by_our_fault_says_so_and_stops_no_other(acme, monkeypatch):
    broken = create_rule(acme, name="Broken", warning=1)
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    steps = evaluation.steps_of

    def fail(intervals, told, **how):
        if intervals[0].threshold == 1:
            raise KeyError("a fault")
        return steps(intervals, told, **how)

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "steps_of", fail)
        assert evaluate_rules(START + MINUTE).failed == 1

    assert RuleProgress.objects.get(rule=broken).problem == "KeyError: 'a fault'"
    assert evaluate_rules(START + 2 * MINUTE).failed == 0
    assert sorted(rule for rule in Incident.objects.values_list("rule__name", flat=True)) == ["Broken", "Forgotten"]


def test_rule_whose_history_fails_by_our_fault_says_so_and_stops_no_other(acme, monkeypatch):
    broken = create_rule(acme, name="Broken", warning=1)
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    nearest = evaluation.nearest

    def fail(definition, *told):
        if definition.warning == 1:
            raise KeyError("a fault")
        return nearest(definition, *told)

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "nearest", fail)
        assert evaluate_rules(START + MINUTE).failed == 1

    assert RuleProgress.objects.get(rule=broken).problem == "KeyError: 'a fault'"
    assert evaluate_rules(START + 2 * MINUTE).failed == 0
    assert sorted(rule for rule in Incident.objects.values_list("rule__name", flat=True)) == ["Broken", "Forgotten"]


def test_rules_that_share_a_metric_share_a_query(acme, django_assert_num_queries):
    for number in range(3):
        create_rule(acme, name=str(number), warning=number + 1)
    evaluate_rules(START)

    with django_assert_num_queries(9):
        evaluate_rules(START + HOUR)

    for number in range(3):
        create_rule(acme, name=f"more {number}", warning=number + 1)
    evaluate_rules(START + 2 * HOUR)
    with django_assert_num_queries(9):
        evaluate_rules(START + 3 * HOUR)


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_tell_once(acme, monkeypatch):
    """The second comes while the first has the rules; it finds nothing to do, and nothing afterwards."""
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    evaluate_rules(START)  # makes the progress
    inside, done = threading.Event(), threading.Event()
    tell, ticks = evaluation._tell, []

    def slow(*args):
        inside.set()
        assert done.wait(20)
        return tell(*args)

    def first():
        try:
            ticks.append(evaluate_rules(START + MINUTE))
        finally:
            connection.close()

    monkeypatch.setattr(evaluation, "_tell", slow)
    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    ticks.append(evaluate_rules(START + MINUTE))
    done.set()
    thread.join(20)
    ticks.append(evaluate_rules(START + MINUTE))

    assert sorted(tick.rules for tick in ticks) == [0, 0, 1]
    assert len(incidents()) == 1


def test_worker_that_is_killed_while_it_tells_leaves_everything_to_the_next(acme, monkeypatch):
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    tell = evaluation._tell

    def killed(*args):
        tell(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "_tell", killed)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            evaluate_rules(START + MINUTE)
    assert incidents() == []

    evaluate_rules(START + 2 * MINUTE)

    assert incidents() == [("", 0, None, "open")]


def test_lag_is_measured_from_the_rule_that_waits_longest(acme):
    create_rule(acme)
    [(_, new)] = metrics._alert_lag()
    RuleProgress.objects.create(
        workspace=acme, rule=Rule.objects.get(), evaluated_at=timezone.now() - HOUR, problem="KeyError"
    )
    create_rule(acme, name="Off", enabled=False)
    [(_, lag)] = metrics._alert_lag()

    assert (new < 60, 3600 <= lag < 3660) == (True, True)
    assert metrics._failing_rules() == [({}, 1)]


def test_beat_evaluates_by_the_clock_of_the_server(acme):
    create_rule(acme)
    compacted(acme, at=timezone.now() - HOUR, forgotten=9)

    tasks.evaluate_rules()

    assert Incident.objects.get().state == "open"
