"""Data that come late, clocks that go back, servers that were down: told once, as though all had come in time."""

from datetime import timedelta

import pytest

from conversations.alerts import evaluation
from conversations.alerts.evaluation import evaluate_rules
from conversations.models import Compaction, CompactionAudit, Incident, Rule
from tests.alerts.rows import compacted, create_rule, incidents
from tests.factories import START, create_conversation

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_late_data_open_what_they_would_have_opened(acme):
    create_rule(acme, in_a_row=2)
    compacted(acme, at=START, forgotten=7)
    evaluate_rules(START + HOUR)
    assert incidents() == []

    compacted(acme, at=START + 30 * MINUTE, forgotten=8)  # comes two hours late
    evaluate_rules(START + 2 * HOUR)

    assert incidents() == [("", 30, None, "open")]


def test_late_data_resolve_what_was_wrongly_open(acme):
    create_rule(acme, in_a_row=2)
    compacted(acme, at=START, forgotten=7)
    compacted(acme, at=START + 10 * MINUTE, forgotten=7)
    evaluate_rules(START + HOUR)
    assert incidents() == [("", 10, None, "open")]

    compacted(acme, at=START + 5 * MINUTE, forgotten=0)
    evaluate_rules(START + 2 * HOUR)

    assert Incident.objects.get().state == "resolved"


def test_data_that_come_hours_late_are_found_within_minutes_though_most_evaluations_read_only_what_is_new(acme):
    create_rule(acme, in_a_row=2)
    compacted(acme, at=START, forgotten=7)
    for number in range(4):
        evaluate_rules(START + 5 * HOUR + number * MINUTE)
    compacted(acme, at=START + HOUR, forgotten=8)

    told_after = [
        minutes for minutes in range(4, 12)
        if evaluate_rules(START + 5 * HOUR + minutes * MINUTE).signals and incidents()
    ]  # fmt: skip

    assert told_after[0] <= 5
    assert incidents() == [("", 60, None, "open")]


@pytest.mark.parametrize("window", [0, 60, 1440])
@pytest.mark.parametrize("group_by", ["", "conversation"])
def test_process_that_remembers_tells_what_one_that_begins_tells(acme, globex, monkeypatch, window, group_by):
    """The same events in two workspaces; of one every evaluation forgets where it stopped."""
    aggregation = {"aggregation": "sum", "window_minutes": window} if window else {"aggregation": "each"}
    conversations = [create_conversation(workspace) for workspace in (acme, globex)]
    rules = [create_rule(each.workspace, group_by=group_by, in_a_row=2, **aggregation) for each in conversations]

    def evaluate(at):
        evaluation.evaluate_workspace(acme, at)
        with monkeypatch.context() as patched:
            patched.setattr(evaluation, "_memory", evaluation.Memory())
            evaluation.evaluate_workspace(globex, at)

    for number, (minutes, late) in enumerate([(0, 0), (7, 0), (50, 0), (130, 0), (135, 90), (300, 0), (1500, 200)]):
        for conversation in conversations:
            compacted(conversation.workspace, conversation=conversation, at=START + minutes * MINUTE - late * MINUTE,
                      forgotten=9 * (number % 3 != 1), number=number + 1, position=number)  # fmt: skip
        for later in (0, 1, 4, 11):
            evaluate(START + (minutes + later) * MINUTE)

    ours, theirs = ([each[1:] for each in incidents(rule)] for rule in rules)
    assert ours
    assert ours == theirs


def test_late_audit_counts_when_it_comes(acme):
    create_rule(acme)
    compaction = compacted(acme, at=START, audit=None)
    evaluate_rules(START + MINUTE)
    CompactionAudit.objects.create(
        workspace=acme, compaction=compaction, state="done", version="1", forgotten=9
    )  # fmt: skip
    evaluate_rules(START + HOUR)

    assert incidents() == [("", 0, None, "open")]


def test_flood_of_late_events_tells_one_incident_of_what_counts_and_walks_through_no_other_rule(acme, monkeypatch):
    """A thousand here, over 90 days; a million in tests/bench/alerts.py."""
    create_rule(acme, aggregation="sum", warning=20, window_minutes=60, agent_name="coder")
    create_rule(acme, name="Of another", agent_name="support")
    coder, support = (create_conversation(acme, agent=agent) for agent in ("coder", "support"))
    compacted(acme, conversation=support, at=START, forgotten=1)
    for minute in (0, 2):
        evaluate_rules(START + HOUR + minute * MINUTE)
    rows = Compaction.objects.bulk_create(
        Compaction(
            workspace=acme, conversation=coder, external_id=f"late {number}", position=number, number=number,
            kind="client", summary_state="text", at=START - 90 * DAY + number * 90 * DAY / 1_000,
        )
        for number in range(1_000)
    )  # fmt: skip
    CompactionAudit.objects.bulk_create(
        CompactionAudit(workspace=acme, compaction=row, state="done", version="1", forgotten=25) for row in rows
    )
    walked = []
    run_on = evaluation.run_on
    monkeypatch.setattr(evaluation, "run_on", lambda *args: walked.append(args[0].at) or run_on(*args))

    evaluate_rules(START + HOUR + 10 * MINUTE)

    assert incidents(Rule.objects.get(name="Of another")) == []
    assert [state for *_, state in incidents()] == ["resolved"]
    assert min(walked) < START - 20 * HOUR < START < max(walked)  # the other goes on from where it was


def test_data_older_than_a_day_wake_nobody(acme):
    create_rule(acme)
    evaluate_rules(START)
    compacted(acme, at=START - 25 * HOUR, forgotten=9)

    evaluate_rules(START + MINUTE)

    assert incidents() == []


def test_firing_lasts_beyond_the_anchor_and_ends_by_itself(acme):
    create_rule(acme, quiet_minutes=3 * 24 * 60)
    compacted(acme, at=START, forgotten=9)
    for hours in range(0, 80, 5):
        evaluate_rules(START + hours * HOUR + MINUTE)

    assert incidents() == [("", 0, 3 * 24 * 60, "resolved")]


def test_server_that_was_down_for_days_tells_what_it_missed(acme):
    create_rule(acme)
    evaluate_rules(START)
    compacted(acme, at=START + HOUR, forgotten=9)
    compacted(acme, at=START + 2 * HOUR, forgotten=0)

    evaluate_rules(START + 5 * DAY)

    assert incidents() == [("", 60, 120, "resolved")]


@pytest.mark.parametrize("back", [MINUTE, 2 * HOUR, 30 * HOUR, 20 * DAY])
def test_clock_that_is_put_back_tells_nothing_twice(acme, back):
    create_rule(acme)
    compacted(acme, at=START, forgotten=9)
    evaluate_rules(START + back + MINUTE)
    assert incidents() == ([("", 0, None, "open")] if back < DAY else [])

    for minutes in (1, 2, 3):
        evaluate_rules(START + minutes * MINUTE)

    assert incidents() == [("", 0, None, "open")]
