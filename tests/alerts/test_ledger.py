"""Rules about the ledger: what they count, of which entry, and that a rule follows an entry to its new name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.alerts.evaluation import definition_of, evaluate_rules
from conversations.alerts.preview import preview
from conversations.alerts.queries import events_of
from conversations.alerts.sentences import sentence
from conversations.alerts.sources import Need
from conversations.alerts.spec import export_rules, wrong_with
from conversations.audit.ledger_editing import save_entry
from conversations.models import Incident, Rule
from tests.alerts.rows import create_rule
from tests.audit.ledger_rows import create_check, create_entry
from tests.factories import START, create_compaction, create_conversation

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def checked(acme):
    """Three compactions: one kept both rules, one lost one and altered the other, one had neither in its context."""
    conversation = create_conversation(acme, agent="coder")
    frozen, german = create_entry(acme, name="frozen table"), create_entry(acme, "Answer in German.", name="language")
    for outcomes in (("kept", "kept"), ("forgotten", "altered"), ("not_in_context", "unverifiable")):
        compaction = create_compaction(conversation)
        for entry, outcome in zip((frozen, german), outcomes, strict=True):
            create_check(entry, compaction, outcome)
    create_compaction(conversation)
    return frozen


@pytest.mark.parametrize(
    ("metric", "entry", "values"),
    [
        ("ledger_lost", "", [0, 2]),
        ("ledger_forgotten", "", [0, 1]),
        ("ledger_altered", "", [0, 1]),
        ("ledger_lost", "frozen table", [0, 1]),
        ("ledger_altered", "frozen table", [0, 0]),
        ("ledger_lost", "no such entry", []),
    ],
)
def test_metrics_count_entries_that_were_in_the_context(acme, checked, metric, entry, values):
    events = events_of(acme, Need(metric, ledger_entry=entry), START - DAY, START + DAY)
    assert [event.value for event in events] == values


def test_retired_entries_are_not_counted(acme, checked):
    checked.retired_at = timezone.now()
    checked.save()
    events = events_of(acme, Need("ledger_lost"), START - DAY, START + DAY)
    assert [event.value for event in events] == [0, 1]


def test_preview_of_a_rule_about_one_entry(acme, checked):
    rule = create_rule(acme, metric="ledger_lost", ledger_entry="frozen table", warning=0, group_by="agent")
    assert list(wrong_with(rule)) == []
    found = preview(acme, definition_of(rule), 7, START + DAY)
    assert (found.matched, found.fired, found.intervals[0].group) == (2, 1, "coder")
    assert "entry “frozen table”" in sentence(definition_of(rule))
    assert "ledger_entry: frozen table" in export_rules(acme)


def test_each_entry_has_incidents_of_its_own(acme, checked):
    rule = create_rule(acme, metric="ledger_lost", warning=0, group_by="ledger_entry")

    evaluate_rules(START + DAY / 2)
    found = preview(acme, definition_of(rule), 7, START + DAY / 2)

    assert list(wrong_with(rule)) == []
    assert sorted(Incident.objects.values_list("group", "value")) == [("frozen table", 1), ("language", 1)]
    assert (found.matched, sorted(each.group for each in found.intervals)) == (4, ["frozen table", "language"])
    assert sentence(definition_of(rule)).endswith("for each rule of the ledger")


def test_entry_kept_again_ends_its_incident_alone(acme, checked):
    create_rule(acme, metric="ledger_forgotten", warning=0, group_by="ledger_entry")
    evaluate_rules(START + DAY / 2)
    later = create_compaction(create_conversation(acme, agent="coder"), at=START + DAY / 2)
    create_check(checked, later, "kept")

    evaluate_rules(START + DAY / 2 + HOUR)

    assert list(Incident.objects.values_list("group", "state")) == [("frozen table", "resolved")]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"metric": "ledger_lost", "ledger_entry": "no such entry"}, "ledger_entry"),
        ({"metric": "forgotten", "ledger_entry": "frozen table"}, "ledger_entry"),
        ({"metric": "ledger_lost", "fact_kind": "value"}, "fact_kind"),
        ({"metric": "forgotten", "group_by": "ledger_entry"}, "group_by"),
    ],
)
def test_rule_that_cannot_look_at_an_entry_is_told(acme, checked, fields, at):
    rule = Rule(workspace=acme, name="a rule", aggregation="each", warning=0, **fields)
    assert [field for field, _ in wrong_with(rule)] == [at]


def test_rule_follows_an_entry_to_its_new_name(acme, alice, checked):
    rule = create_rule(acme, metric="ledger_lost", ledger_entry="frozen table")
    checked.name = "ledger_v1 is frozen"
    save_entry(checked, alice.user)
    rule.refresh_from_db()
    assert rule.ledger_entry == "ledger_v1 is frozen"
