from dataclasses import replace
from pathlib import Path

import pytest

from conversations.ops.simulation.clerk import Clerk
from conversations.ops.simulation.comparing import Comparison, compare, table
from conversations.ops.simulation.desk import STEPS, Desk
from conversations.ops.simulation.figures import saved
from conversations.ops.simulation.requests import Context
from conversations.ops.simulation.running import Workflow, run
from conversations.ops.simulation.tickets import make_tickets, similar_to

FIVE = Workflow(5, 5_000, least_trigger=2_000)


@pytest.fixture(scope="module")
def runs():
    """Five tickets in every way."""
    ways = {
        "plain": replace(FIVE, trigger=None),
        "compacted": FIVE,
        "paused": replace(FIVE, pause=True),
        "streamed": replace(FIVE, streamed=True),
        "often": replace(FIVE, trigger=2_500),
        "cached": replace(FIVE, cached=True),
    }
    return {name: run(workflow, name) for name, workflow in ways.items()}


def test_every_run_completes_every_ticket(runs):
    assert {name: each.completed for name, each in runs.items()} == dict.fromkeys(runs, 5)
    assert all("5 tickets were completed" in each.answers[-1].content[-1].text for each in runs.values())


def test_the_workflow_has_as_many_calls_as_the_published_one(runs):
    assert runs["plain"].figures.requests == 37
    assert runs["compacted"].figures.requests == 37
    assert runs["paused"].figures.requests == 37 + runs["paused"].figures.compactions


def test_compaction_saves_and_its_own_calls_are_counted(runs):
    plain, compacted = runs["plain"].figures, runs["compacted"].figures
    assert plain.compactions == 0
    assert compacted.compactions >= 1
    assert compacted.compaction_input >= 5_000
    turns = sum(answer.usage.input_tokens for answer in runs["compacted"].answers)
    assert compacted.input_tokens == turns + compacted.compaction_input
    assert compacted.total_tokens < 0.7 * plain.total_tokens
    assert compacted.largest_context < 5_000 < plain.largest_context


def test_more_compactions_have_summaries_of_summaries(runs):
    assert runs["often"].figures.compactions >= 3


@pytest.mark.parametrize("way", ["streamed", "cached"])
def test_neither_streaming_nor_caching_changes_what_is_read(runs, way):
    assert runs[way].figures == runs["compacted"].figures


def test_the_cache_is_used(runs):
    read = sum(answer.usage.cache_read_input_tokens for answer in runs["cached"].answers)
    assert read > runs["cached"].figures.input_tokens / 2


def test_instructions_decide_what_the_summary_keeps():
    tickets = {ticket.id: ticket for ticket in make_tickets(1)}
    rules = {"role": "user", "content": [{"type": "text", "text": "Work.\n\nRules:\n- Never lie.\n- Be brief.\n\nGo."}]}
    context = Context("", [], [rules])
    clerk = Clerk(tickets)
    assert "Never lie" not in clerk.summarise(context, "")
    kept = clerk.summarise(context, "Keep every rule.")
    assert "- Never lie.\n- Be brief." in kept
    again = Context("", [], [{"role": "assistant", "content": [{"type": "compaction", "content": kept}]}])
    assert "- Never lie.\n- Be brief." in clerk.summarise(again, "Keep every rule.")
    assert "Never lie" not in clerk.summarise(again, "")


# --- the desk ---------------------------------------------------------------------------------------------------------


def test_tickets_are_always_the_same_and_each_is_its_own():
    assert make_tickets(60) == make_tickets(60)
    assert make_tickets(60)[:10] == make_tickets(10)
    assert len({ticket.body for ticket in make_tickets(60)}) == 60
    assert not any("{" in ticket.body + ticket.reply + ticket.subject for ticket in make_tickets(60))


def test_similar_tickets_are_of_the_category():
    subjects = [past["subject"] for past in similar_to("billing")]
    assert subjects
    assert all(subject.startswith("Charged twice for order") for subject in subjects)
    assert similar_to("weather") == []


def test_the_desk_allows_only_what_its_rules_allow():
    desk = Desk(make_tickets(1))
    with pytest.raises(ValueError, match="no ticket TK-1001 in hand"):
        desk.run("set_priority", {"ticket_id": "TK-1001", "priority": "low"})
    assert "TK-1001" in desk.run(STEPS[0], {})
    with pytest.raises(ValueError, match="not saved yet"):
        desk.run("mark_complete", {"ticket_id": "TK-1001"})
    desk.run("draft_response", {"ticket_id": "TK-1001", "text": "Dear…"})
    desk.run("mark_complete", {"ticket_id": "TK-1001"})
    assert desk.completed() == 1
    assert "The queue is empty" in desk.run(STEPS[0], {})


# --- the table --------------------------------------------------------------------------------------------------------


def test_both_runs_are_compared_line_by_line(runs):
    comparison = Comparison(FIVE, runs["plain"], runs["compacted"], ("a", "b"))
    lines = list(table(comparison))
    plain, compacted = runs["plain"].figures, runs["compacted"].figures
    inputs = next(line for line in lines if line.startswith("input tokens"))
    assert f"{plain.input_tokens:,}" in inputs
    assert inputs.endswith(saved(plain.input_tokens, compacted.input_tokens))
    assert any("204,416 → 82,171 (59.8 % less)" in line and "(58.6 % less)" in line for line in lines)
    assert "The API takes no trigger below 50,000; the stand-in was told to." in lines


def test_the_apis_own_trigger_has_no_note(runs):
    workflow = replace(FIVE, trigger=50_000)
    lines = list(table(Comparison(workflow, runs["plain"], runs["plain"], ("a", "b"))))
    assert not any("stand-in was told" in line for line in lines)


def test_comparing_runs_both_and_names_them():
    comparison = compare(replace(FIVE, tickets=1), "x")
    assert comparison.conversations == ("x-without", "x-with")
    assert (comparison.without.figures.compactions, comparison.without.completed) == (0, 1)


def test_the_documented_figures_are_those_of_the_run(runs):
    document = (Path(__file__).parents[3] / "docs" / "capture.md").read_text()
    plain, compacted = runs["plain"].figures, runs["compacted"].figures
    pairs = [(getattr(plain, name), getattr(compacted, name)) for name in ("input_tokens", "total_tokens")]
    for before, after in [*pairs, (204_416, 82_171), (208_838, 86_446)]:
        assert f"{before:,} → {after:,} ({saved(before, after).split()[0]} %)" in document


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(204_416, 82_171, "59.8 % less"), (100, 100, "0.0 % less"), (100, 110, "10.0 % more"), (0, 5, "")],
)
def test_a_difference_is_told_in_words(before, after, words):
    assert saved(before, after) == words
