"""The long-running loop: tools, compactions with a pause, budgets of the run and of the team."""

import json
import logging

import anthropic
import pytest
from anthropic import beta_async_tool, beta_tool

from conversations.recorder import (
    Budget,
    BudgetExceeded,
    Compaction,
    budget_watch,
    flush,
    instructions_version,
    run_agent,
    run_agent_async,
)
from tests.recorder.collector import Say, error
from tests.recorder.waiting import awaited
from tests.standin.messages_api import says

START = [{"role": "user", "content": "Work through the tickets."}]
SUMMARY = "<summary>Tickets 1 to 3 are done.</summary>"


def usage(fresh=100, output=10, **more):
    return {"input_tokens": fresh, "output_tokens": output, **more}


def calls(name="lookup", number=1, **spent):
    block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {"ticket": number}}
    return says("", content=[block], stop_reason="tool_use", usage=usage(**spent))


def pauses(summary=SUMMARY):
    iterations = [{"type": "compaction", **usage(90_000, 800)}]
    content = [{"type": "compaction", "content": summary}]
    return says("", content=content, stop_reason="compaction", usage=usage(0, 0, iterations=iterations))


def compacts_and_goes_on():
    iterations = [{"type": "compaction", **usage(90_000, 800)}, {"type": "message", "model": "m", **usage(2_000, 20)}]
    content = [{"type": "compaction", "content": SUMMARY}, {"type": "text", "text": "All done."}]
    return says("", content=content, usage=usage(2_000, 20, iterations=iterations))


@beta_tool
def lookup(ticket: int) -> str:
    """Look a ticket up."""
    if ticket == 13:
        raise LookupError("no such ticket")
    return f"Ticket {ticket}: the printer is on fire."


@pytest.fixture
def client(model):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        yield bare


def start(client, **settings):
    return run_agent(client, model="claude-opus-5-5", messages=START, **{"tools": [lookup], **settings})


def sent(model):
    return [request.body["messages"] for request in model.requests]


def test_tools_are_run_until_the_final_answer(client, model):
    model.replies += [calls(number=1), calls(number=13), says("Nothing can be done.", usage=usage())]
    run = start(client)
    assert (run.text, run.stopped, run.calls) == ("Nothing can be done.", "end_turn", 3)
    first, second = sent(model)[1][-1]["content"][0], sent(model)[2][-1]["content"][0]
    assert first == {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Ticket 1: the printer is on fire."}
    assert second["is_error"] is True
    assert "no such ticket" in second["content"]
    assert (run.input_tokens, run.output_tokens) == (300, 30)


def test_definitions_are_run_by_the_callback_or_left_to_the_caller(client, model):
    tool = {"name": "lookup", "description": "Look up.", "input_schema": {"type": "object", "properties": {}}}
    model.replies += [calls(), says("Done."), calls()]
    run = start(client, tools=[tool], run_tool=lambda name, asked: f"{name} {asked['ticket']}")
    assert run.text == "Done."
    assert sent(model)[1][-1]["content"][0]["content"] == "lookup 1"
    run = start(client, tools=[tool])
    assert (run.stopped, run.messages[-1]["role"]) == ("tool_use", "assistant")


def test_compaction_is_asked_for_as_the_api_has_it(client, model):
    model.replies += [says("Done.")]
    start(client, compaction=Compaction(60_000, instructions="Keep ticket numbers."), create={"betas": ["other-1"]})
    request = model.requests[0]
    assert request.headers["anthropic-beta"] == "other-1,compact-2026-01-12"
    [edit] = request.body["context_management"]["edits"]
    assert edit == {
        "type": "compact_20260112",
        "trigger": {"type": "input_tokens", "value": 60_000},
        "pause_after_compaction": True,
        "instructions": "Keep ticket numbers.",
    }


def test_without_compaction_nothing_is_asked_for(client, model):
    model.replies += [says("Done.")]
    start(client, compaction=None, system="Be brief.")
    assert model.requests[0].body.get("context_management") is None
    assert model.requests[0].body["system"] == "Be brief."


def test_a_pause_is_told_and_what_the_callback_keeps_follows_the_summary(client, model):
    events = []

    def keep_the_last(event):
        events.append(event)
        return event.last_turn()

    model.replies += [calls(), pauses(), says("Done.", usage=usage())]
    run = start(client, on_compaction=keep_the_last, compaction=Compaction(instructions=" Keep ports. "))
    [event] = events
    assert (event.number, event.summary, event.paused) == (1, SUMMARY, True)
    assert (event.input_tokens, event.output_tokens) == (90_000, 800)
    assert event.instructions_version == instructions_version("Keep ports.")
    assert len(event.sent) == 3
    after = sent(model)[2]
    assert after[0] == {"role": "assistant", "content": [{"type": "compaction", "content": SUMMARY}]}
    assert after[1:] == sent(model)[1][-2:]  # the tool call and its result
    assert run.compactions == events
    assert run.total_tokens == 110 + 90_800 + 110


def test_an_older_summary_is_never_kept_behind_a_newer_one(client, model):
    both = [{"type": "compaction", "content": SUMMARY}, {"type": "tool_use", "id": "t", "name": "lookup", "input": {}}]
    model.replies += [
        says("", content=both, stop_reason="tool_use", usage=usage()),
        pauses("<summary>Newer.</summary>"),
        says("Done."),
    ]
    start(client, on_compaction=lambda event: event.last_turn())
    last = sent(model)[2]
    assert last[0]["content"] == [{"type": "compaction", "content": "<summary>Newer.</summary>"}]
    assert [[block["type"] for block in message["content"]] for message in last[1:]] == [["tool_use"], ["tool_result"]]


def test_the_last_turn_may_be_words(client, model):
    model.replies += [pauses(), says("Done.")]
    start(client, on_compaction=lambda event: event.last_turn())
    assert sent(model)[1][1:] == START


def test_a_compaction_without_pause_goes_on_in_the_same_answer(client, model):
    model.replies += [calls(), compacts_and_goes_on()]
    run = start(client, compaction=Compaction(pause=False))
    assert (run.text, len(run.compactions), run.compactions[0].paused) == ("All done.", 1, False)
    assert "pause_after_compaction" not in model.requests[0].body["context_management"]["edits"][0]
    assert len(run.messages) == 1
    assert run.input_tokens == 100 + 90_000 + 2_000


def test_a_failed_compaction_drops_nothing(client, model):
    model.replies += [calls(), pauses(summary=None), says("Done.")]
    run = start(client)
    assert run.compactions[0].summary is None
    assert len(sent(model)[2]) == 4


def test_a_budget_warns_then_tells_the_model_once_and_ends_with_its_answer(client, model, caplog):
    states = []
    model.replies += [
        calls(number=1, fresh=790),
        calls(number=2, fresh=100),
        calls(number=3, fresh=200),
        calls(number=4),
        says("This is how far we came.", usage=usage()),
    ]
    with caplog.at_level(logging.WARNING, "observatory_recorder"):
        run = start(client, budget=Budget(1000, message="Wrap up."), on_budget=lambda said: states.append(said.state))
    assert states == ["warn", "wrap_up"]
    assert (run.stopped, run.text) == ("budget", "This is how far we came.")
    told = [json.dumps(messages).count("Wrap up.") for messages in sent(model)]
    assert told == [0, 0, 0, 1, 1]
    assert sent(model)[3][-1]["content"][-1] == {"type": "text", "text": "Wrap up."}
    assert "this run: 1,120 of 1,000" in caplog.text


def test_after_three_calls_of_wrapping_up_tools_are_off(client, model):
    model.replies += [calls(fresh=2000), *[calls(number=number) for number in (2, 3, 4)], says("Enough.")]
    run = start(client, budget=Budget(1000))
    assert run.stopped == "budget"
    choices = [request.body.get("tool_choice") for request in model.requests]
    assert choices == [None, None, None, None, {"type": "none"}]


def test_a_blocking_budget_raises_before_the_call(client, model):
    model.replies += [calls(fresh=2000)]
    with pytest.raises(BudgetExceeded, match=r"this run: 2,010 of 1,000") as raised:
        start(client, budget=Budget(1000, block=True))
    assert len(model.requests) == 1
    assert raised.value.run.calls == 1


# --- the team's budgets -----------------------------------------------------------------------------------------------


def team(state, message="", etag='"1"'):
    told = {"id": 7, "name": "Support", "metric": "total_tokens", "limit": 10, "used": 9, "state": state}
    return Say(200, json.dumps({"state": state, "message": message, "budgets": [told]}).encode(), {"ETag": etag})


def test_the_teams_budget_is_asked_and_its_message_told(client, model, observed, collector):
    collector.budgets = [team("ok"), team("wrap_up", "Please hand over to Dana.", '"2"')]
    watch = budget_watch(observed(client, agent="support-bot", conversation="ticket-17"))
    assert watch.status().state == "ok"
    watch._due = 0
    assert watch.status().message == "Please hand over to Dana."
    first, second = collector.requests
    assert first.path == "/api/v1/budgets/status?agent=support-bot&conversation=ticket-17"
    assert second.headers["if-none-match"] == '"1"'
    model.replies += [says("I hand over.")]
    assert start(client).stopped == "budget"
    assert sent(model)[0][-1]["content"][-1]["text"] == "Please hand over to Dana."
    [report] = collector.events
    assert {**report, "id": "", "at": ""} == {
        "type": "budget", "id": "", "at": "", "happened": "wrap_up_injected", "budget": 7, "name": "Support",
        "used": 9, "limit": 10, "message": "Please hand over to Dana.", "agent": "support-bot",
        "conversation": "ticket-17",
    }  # fmt: skip
    assert flush(10)


def test_a_report_is_told_once_when_the_server_is_back(client, observed, collector):
    collector.budgets = [team("block")]
    watch = budget_watch(observed(client, agent="support-bot", conversation="ticket-17"))
    status = watch.status()
    collector.answers += [error(503)]
    watch.report("blocked", status)
    assert collector.events == []
    watch._due = 0
    watch.status()
    watch._due = 0
    watch.status()
    assert [(event["happened"], event["conversation"]) for event in collector.events] == [("blocked", "ticket-17")]


def test_a_blocked_run_reports_before_it_raises(client, model, observed, collector):
    collector.budgets = [team("block")]
    observed(client, agent="support-bot", conversation="ticket-17")
    with pytest.raises(BudgetExceeded):
        start(client)
    assert [(event["happened"], event["budget"]) for event in collector.events] == [("blocked", 7)]
    assert model.requests == []


def test_nothing_is_reported_of_a_conversation_without_a_name(client, observed, collector):
    collector.budgets = [team("block")]
    watch = budget_watch(observed(client, agent="support-bot"))
    watch.report("blocked", watch.status())
    assert [got.method for got in collector.requests] == ["GET"]


@pytest.mark.parametrize("away", [error(503), error(401), Say(200, b"<html>"), Say(0)])
def test_the_last_known_state_counts_while_the_server_is_away(client, observed, collector, away):
    collector.answers += [team("block"), away]
    watch = budget_watch(observed(client))
    assert watch.status().state == "block"
    watch._due = 0
    assert watch.status().state == "block"
    assert watch.status().state == "block"  # and is not asked again at once
    assert len(collector.requests) == 2


def test_an_unchanged_budget_costs_no_body(client, observed, collector):
    collector.answers += [team("warn"), Say(304)]
    watch = budget_watch(observed(client))
    watch.status()
    watch._due = 0
    assert watch.status().state == "warn"


def test_a_client_that_is_not_observed_has_no_team(client):
    assert budget_watch(client) is None


# --- async ------------------------------------------------------------------------------------------------------------


@beta_async_tool
async def lookup_async(ticket: int) -> str:
    """Look a ticket up."""
    return f"Ticket {ticket}"


def test_the_async_loop_runs_coroutines(model):
    model.replies += [calls("lookup_async"), pauses(), says("Done.", usage=usage())]

    async def work():
        async with anthropic.AsyncAnthropic(api_key="test-key", base_url=model.url) as client:
            return await run_agent_async(client, model="claude-opus-5-5", messages=START, tools=[lookup_async])

    run = awaited(work())
    assert (run.text, len(run.compactions)) == ("Done.", 1)
    assert sent(model)[1][-1]["content"][0]["content"] == "Ticket 1"


def test_versions_of_instructions_change_with_their_words():
    assert instructions_version("Keep ports.") == instructions_version("  Keep ports.\n")
    assert instructions_version("Keep ports.") != instructions_version("Keep all ports.")
    assert instructions_version(None) == instructions_version(" ") == ""
