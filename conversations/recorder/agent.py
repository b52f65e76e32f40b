"""A long-running agent: tools, compaction with a pause, budgets, and an end that is polite."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .budgets import Budget, BudgetStatus, BudgetWatch
from .compacting import Compaction, CompactionEvent
from .looping import AgentRun, Loop
from .tap import tap_of
from .tools import RunTool, Tools


@dataclass(frozen=True, kw_only=True)
class Agent:
    """How an agent runs.

    `tools` are functions of the SDK (`@beta_tool`), or definitions that `run_tool(name, input)` runs; what an exception
    says is told to the model. `create` holds further arguments of `client.beta.messages.create`.

    `on_compaction` is told of every compaction; what it returns is kept verbatim behind the summary, where the run
    pauses for it. The team's budgets are asked for when the client is observed, `budget` is the run's own, and
    `on_budget` is told when their state changes. At "wrap_up" the model is told the team's message once, may use tools
    for three calls more, and answers a last time; at "block" BudgetExceeded is raised before the next call.
    """

    model: str
    tools: Sequence[Any] = ()
    run_tool: RunTool | None = None
    max_tokens: int = 4096
    system: str | None = None
    compaction: Compaction | None = field(default_factory=Compaction)
    on_compaction: Callable[[CompactionEvent], list[Any] | None] | None = None
    budget: Budget | None = None
    on_budget: Callable[[BudgetStatus], None] | None = None
    create: Mapping[str, Any] = field(default_factory=dict)

    def run(self, client: Any, messages: Iterable[Any]) -> AgentRun:
        """Call the model, run its tools, and so on until its final answer. Raises BudgetExceeded, or as the client.

        A call of a tool that nothing runs ends the run too: answer it and go on with `run.messages`.
        """
        kit, loop = self._begin(client, messages)
        while True:
            loop.take(client.beta.messages.create(**loop.request()))
            calls = loop.calls()
            if loop.is_done() or not kit.can_run(calls):
                return loop.run
            if calls:
                loop.answer([kit.result(call) for call in calls])

    async def run_async(self, client: Any, messages: Iterable[Any]) -> AgentRun:
        """As `run`, with an async client. Tools may be coroutines, and those of one answer run side by side."""
        kit, loop = self._begin(client, messages)
        while True:
            # The server may be asked for budgets, which takes a second at most.
            request = await asyncio.to_thread(loop.request) if loop.watch else loop.request()
            loop.take(await client.beta.messages.create(**request))
            calls = loop.calls()
            if loop.is_done() or not kit.can_run(calls):
                return loop.run
            if calls:
                loop.answer(await asyncio.gather(*map(kit.result_async, calls)))

    def _begin(self, client: Any, messages: Iterable[Any]) -> tuple[Tools, Loop]:
        kit = Tools(self.tools, self.run_tool)
        params = {"model": self.model, "max_tokens": self.max_tokens, **self.create}
        if self.system is not None:
            params["system"] = self.system
        if told := kit.told():
            params["tools"] = told
        watch = budget_watch(client)
        run = AgentRun(list(messages))
        return kit, Loop(run, params, self.compaction, self.on_compaction, self.budget, watch, self.on_budget)


def run_agent(client: Any, *, messages: Iterable[Any], **settings: Any) -> AgentRun:
    """`Agent(**settings).run(client, messages)`, in one call."""
    return Agent(**settings).run(client, messages)


async def run_agent_async(client: Any, *, messages: Iterable[Any], **settings: Any) -> AgentRun:
    """`Agent(**settings).run_async(client, messages)`, in one call."""
    return await Agent(**settings).run_async(client, messages)


def budget_watch(client: Any) -> BudgetWatch | None:
    """The team's budgets for an observed client; ask its `.status()` in loops of your own. None: it is not observed."""
    tapped = tap_of(client)
    if tapped is None:
        return None
    labels = tapped.labels()
    return BudgetWatch(tapped.server, labels.agent, labels.conversation, labels.agent_version, tags=labels.tags)
