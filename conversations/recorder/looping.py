"""A long-running loop without its input and output: what to ask next, and what an answer means for it."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .budgets import WRAP_UP, Budget, BudgetExceeded, BudgetStatus, BudgetWatch, worst
from .compacting import BETA, Compaction, CompactionEvent, without_summaries

log = logging.getLogger("observatory_recorder")

_TURNS_TO_WRAP_UP = 3  # model calls with tools after the team's message; the next one is answered in words


@dataclass(slots=True)
class AgentRun:
    """What a run has come to. `stopped`: the last stop reason, or "budget" after the team's message was answered."""

    messages: list[Any]
    message: Any = None  # the model's last answer
    stopped: str = ""
    compactions: list[CompactionEvent] = field(default_factory=list)
    calls: int = 0
    input_tokens: int = 0  # cached ones and those of summaries included
    output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """What a budget counts."""
        return self.input_tokens + self.output_tokens

    @property
    def text(self) -> str:
        """The last answer's words."""
        blocks = self.message.content if self.message else []
        return "".join(block.text for block in blocks if block.type == "text")


@dataclass(slots=True)
class Loop:
    """One run and how far it is."""

    run: AgentRun
    params: dict[str, Any]
    compaction: Compaction | None
    on_compaction: Callable[[CompactionEvent], list[Any] | None] | None
    budget: Budget | None
    watch: BudgetWatch | None
    on_budget: Callable[[BudgetStatus], None] | None
    _state: str = "ok"
    _wrapping_up: int | None = None  # calls since the team's message

    def request(self) -> dict[str, Any]:
        """Arguments of the next call of `beta.messages.create`. Raises BudgetExceeded."""
        self._heed(self._budgets())
        request = {**self.params, "messages": list(self.run.messages)}
        if self.compaction is not None:
            management = dict(request.get("context_management") or {})
            management["edits"] = [*management.get("edits", []), self.compaction.edit()]
            request |= {"context_management": management, "betas": [*request.get("betas", []), BETA]}
        if self._wrapping_up is not None:
            self._wrapping_up += 1
            if self._wrapping_up > _TURNS_TO_WRAP_UP and request.get("tools"):
                request["tool_choice"] = {"type": "none"}
        return request

    def take(self, message: Any) -> None:
        """Count the answer, keep it, and tell of a compaction in it."""
        run = self.run
        run.calls += 1
        run.message, run.stopped = message, message.stop_reason or ""
        for usage in _usages(message):
            run.input_tokens += _input(usage)
            run.output_tokens += usage.output_tokens or 0
        block = next((block for block in reversed(message.content) if block.type == "compaction"), None)
        sent, answer = run.messages, {"role": "assistant", "content": message.content}
        if block is None or block.content is None:
            run.messages = [*sent, answer]
        else:
            run.messages = [answer]  # the API reads nothing before the summary
        if block is not None:
            self._tell(message, block, sent)

    def is_done(self) -> bool:
        """The model has said its last word, or something that is not ours to answer."""
        if self.run.stopped in ("pause_turn", "compaction") or self.calls():
            return False
        if self._wrapping_up is not None and self.run.stopped == "end_turn":
            self.run.stopped = "budget"
        return True

    def calls(self) -> list[Any]:
        """The tools that the model wants run."""
        is_call = self.run.stopped == "tool_use"
        return [block for block in self.run.message.content if block.type == "tool_use"] if is_call else []

    def answer(self, results: Iterable[dict[str, Any]]) -> None:
        """Tell the model what its tools returned."""
        self.run.messages = [*self.run.messages, {"role": "user", "content": list(results)}]

    # --- compactions --------------------------------------------------------------------------------------------------

    def _tell(self, message: Any, block: Any, sent: list[Any]) -> None:
        spent = [usage for usage in _usages(message) if getattr(usage, "type", "") == "compaction"]
        event = CompactionEvent(
            number=len(self.run.compactions) + 1,
            summary=block.content,
            paused=message.stop_reason == "compaction",
            instructions=self.compaction.instructions if self.compaction else None,
            input_tokens=sum(_input(usage) for usage in spent),
            output_tokens=sum(usage.output_tokens or 0 for usage in spent),
            sent=sent,
        )
        self.run.compactions.append(event)
        kept = self.on_compaction(event) if self.on_compaction else None
        if kept and event.paused:
            self.run.messages = [*self.run.messages, *map(without_summaries, kept)]

    # --- budgets ------------------------------------------------------------------------------------------------------

    def _budgets(self) -> BudgetStatus:
        own = [self.budget.status(self.run.total_tokens)] if self.budget else []
        team = [self.watch.status()] if self.watch else []
        return worst(*own, *team)

    def _heed(self, status: BudgetStatus) -> None:
        if status.state != self._state:
            self._state = status.state
            if status.state != "ok":
                log.warning("Budget: %s", status)
            if self.on_budget:
                self.on_budget(status)
        if status.state == "block":
            self._report("blocked", status)
            raise BudgetExceeded(status, self.run)
        if status.state == "wrap_up" and self._wrapping_up is None:
            self._wrapping_up = 0
            self._report("wrap_up_injected", status)
            self.run.messages = with_words(self.run.messages, status.message or WRAP_UP)

    def _report(self, happened: str, status: BudgetStatus) -> None:
        """For the conversation's page, where the client is observed."""
        if self.watch:
            self.watch.report(happened, status)


def with_words(messages: list[Any], words: str) -> list[Any]:
    """The messages with something more from the user, in the last one if that is theirs."""
    if not messages or messages[-1]["role"] != "user":
        return [*messages, {"role": "user", "content": words}]
    content = messages[-1]["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return [*messages[:-1], {**messages[-1], "content": [*blocks, {"type": "text", "text": words}]}]


def _usages(message: Any) -> list[Any]:
    """One for each sampling: where a compaction happened, the answer's own usage leaves the summary's out."""
    return list(getattr(message.usage, "iterations", None) or [message.usage])


def _input(usage: Any) -> int:
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return (usage.input_tokens or 0) + cached
