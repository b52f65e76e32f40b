"""Run the desk's workflow through the real client, observed or not, against the stand-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anthropic

from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.clerk import Clerk
from conversations.ops.simulation.desk import TASK, TOOLS, Desk
from conversations.ops.simulation.figures import Figures, figures_of
from conversations.ops.simulation.requests import EDIT, LEAST_TRIGGER, THRESHOLD_BETA
from conversations.ops.simulation.server import serve
from conversations.ops.simulation.tickets import Ticket, make_tickets
from conversations.recorder import observe

AGENT = "simulated-support-desk"
MODEL = "claude-sonnet-4-6"
MAX_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Workflow:
    """What is run. `trigger`: input tokens at which the API compacts; None = it never does. `forgets`: the client sends
    nothing any more that stands before a summary, which the API would not read. `least_trigger`: what the stand-in
    takes, 50,000 as the API unless less is asked for."""

    tickets: int
    trigger: int | None = None
    pause: bool = False
    instructions: str = ""
    streamed: bool = False
    cached: bool = False
    forgets: bool = False
    least_trigger: int = LEAST_TRIGGER


@dataclass(frozen=True, slots=True)
class Run:
    """What became of it."""

    figures: Figures
    completed: int  # tickets
    messages: list[Any]  # as the client holds them at the end
    answers: list[Any]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the calls are recorded to."""

    url: str
    key: str


def run(workflow: Workflow, conversation: str, destination: Destination | None = None) -> Run:
    """The whole queue, once. Raises anthropic.APIError as any agent's client does."""
    tickets = make_tickets(workflow.tickets)
    answerer = Answerer(Clerk({ticket.id: ticket for ticket in tickets}), workflow.least_trigger)
    with serve(answerer) as url, anthropic.Anthropic(api_key="simulated", base_url=url, max_retries=0) as client:
        if destination is not None:
            observe(
                client,
                agent=AGENT,
                conversation=conversation,
                title=_title(workflow),
                url=destination.url,
                key=destination.key,
            )
        return _work(client, workflow, tickets)


def _title(workflow: Workflow) -> str:
    how = "without compaction" if workflow.trigger is None else f"compacted at {workflow.trigger:,} tokens"
    return f"Support desk, {workflow.tickets} tickets, {how}"


def _work(client: anthropic.Anthropic, workflow: Workflow, tickets: Sequence[Ticket]) -> Run:
    """The loop of any agent: ask, run the tools, answer, until the model asks for none."""
    desk = Desk(list(tickets))
    messages: list[Any] = [{"role": "user", "content": TASK}]
    answers: list[Any] = []
    while True:
        answer = _ask(client, workflow, messages)
        answers.append(answer)
        if workflow.forgets and any(block.type == "compaction" and block.content for block in answer.content):
            messages.clear()
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        if calls:
            messages.append({"role": "user", "content": [result_of(desk, call) for call in calls]})
        elif answer.stop_reason != "compaction":
            return Run(figures_of(answers), desk.completed(), messages, answers)


def _ask(client: anthropic.Anthropic, workflow: Workflow, messages: list[Any]) -> Any:
    request: dict[str, Any] = {"model": MODEL, "max_tokens": MAX_TOKENS, "tools": TOOLS, "messages": messages}
    if workflow.cached:
        request["messages"] = _marked(messages)
    if workflow.trigger is not None:
        request |= {"betas": [THRESHOLD_BETA], "context_management": {"edits": [_edit(workflow, workflow.trigger)]}}
    if not workflow.streamed:
        return client.beta.messages.create(**request)
    with client.beta.messages.stream(**request) as stream:
        return stream.get_final_message()


def _edit(workflow: Workflow, trigger: int) -> dict[str, Any]:
    edit: dict[str, Any] = {"type": EDIT, "trigger": {"type": "input_tokens", "value": trigger}}
    if workflow.pause:
        edit["pause_after_compaction"] = True
    return {**edit, "instructions": workflow.instructions} if workflow.instructions else edit


def _marked(messages: list[Any]) -> list[Any]:
    """With a cache mark at the end of what the user's side said last: all before it is cached with it."""
    place = max(place for place, message in enumerate(messages) if message["role"] == "user")
    content = messages[place]["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    blocks[-1] = {**blocks[-1], "cache_control": {"type": "ephemeral"}}
    return [*messages[:place], {**messages[place], "content": blocks}, *messages[place + 1 :]]


def result_of(desk: Desk, call: Any) -> dict[str, Any]:
    """What the desk answers to a call of the model, as the API takes it."""
    try:
        said, failed = desk.run(call.name, call.input), False
    except (ValueError, KeyError) as error:
        said, failed = str(error), True
    return {"type": "tool_result", "tool_use_id": call.id, "content": said, "is_error": failed}
