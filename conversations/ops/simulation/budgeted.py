"""Run the desk's workflow under a budget of the team: the recorder's own loop asks, warns, wraps up and ends."""

from collections.abc import Callable

import anthropic

from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.clerk import Clerk
from conversations.ops.simulation.desk import TASK, TOOLS, Desk
from conversations.ops.simulation.running import AGENT, MAX_TOKENS, MODEL, Destination, Workflow, result_of
from conversations.ops.simulation.server import serve
from conversations.ops.simulation.tickets import make_tickets
from conversations.recorder import AgentRun, Compaction, observe
from conversations.recorder.budgets import BudgetWatch
from conversations.recorder.looping import Loop
from conversations.recorder.tap import tap_of


def run_budgeted(
    workflow: Workflow, conversation: str, destination: Destination, settle: Callable[[], None]
) -> AgentRun:
    """The queue, until it is empty or the budget ends it; `settle` is called before each call, so that the server has
    counted the one before: a run of a second would else be over before it was asked about.

    Raises anthropic.APIError, and BudgetExceeded where the budget blocks."""
    tickets = make_tickets(workflow.tickets)
    answerer = Answerer(Clerk({ticket.id: ticket for ticket in tickets}), workflow.least_trigger)
    with serve(answerer) as api, anthropic.Anthropic(api_key="simulated", base_url=api, max_retries=0) as client:
        title = f"Support desk, {workflow.tickets} tickets, under a budget"
        url, key = destination.url, destination.key
        observe(client, agent=AGENT, conversation=conversation, title=title, url=url, key=key)
        return _work(client, _loop(client, workflow, conversation), Desk(list(tickets)), settle)


def _loop(client: anthropic.Anthropic, workflow: Workflow, conversation: str) -> Loop:
    tapped = tap_of(client)
    watch = BudgetWatch(tapped.server, AGENT, conversation, fresh=0) if tapped else None
    compaction = None if workflow.trigger is None else Compaction(workflow.trigger, pause=False)
    params = {"model": MODEL, "max_tokens": MAX_TOKENS, "tools": TOOLS}
    run = AgentRun([{"role": "user", "content": TASK}])
    return Loop(run, params, compaction, on_compaction=None, budget=None, watch=watch, on_budget=None)


def _work(client: anthropic.Anthropic, loop: Loop, desk: Desk, settle: Callable[[], None]) -> AgentRun:
    while True:
        settle()
        loop.take(client.beta.messages.create(**loop.request()))
        calls = loop.calls()
        if loop.is_done():
            settle()
            return loop.run
        if calls:
            loop.answer([result_of(desk, call) for call in calls])
