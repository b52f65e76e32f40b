"""Answer one request as the Messages API does: compact at the trigger, sample, count tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Protocol

from conversations.ops.simulation.caching import Cache
from conversations.ops.simulation.requests import (
    LEAST_TRIGGER,
    Block,
    Context,
    Threshold,
    blocks_of,
    context_of,
    on_demand_of,
    signed,
    threshold_of,
)
from conversations.ops.simulation.tokens import tokens

#: What the API says to the model when no instructions replace it, in short: only its length counts here.
PROMPT = (
    "You have written a partial transcript for the initial task above. Write a summary of it that lets you go on with "
    "the task where the raw history may not be accessible: the state, the next steps, what was learnt. Wrap it in "
    "<summary></summary>."
)
_EMPTY = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


class Model(Protocol):
    """What stands in for the model: it reads a context, and nothing else."""

    def reply(self, context: Context) -> list[Block]:
        """The next turn: text and tool calls."""
        ...

    def summarise(self, context: Context, instructions: str) -> str | None:
        """The summary that replaces the context; None = it could not write one."""
        ...


@dataclass(slots=True)
class Answerer:
    """The API without its HTTP. `least_trigger`: what the smallest trigger may be, 50,000 tokens as in the API."""

    model: Model
    least_trigger: int = LEAST_TRIGGER
    cache: Cache = field(default_factory=Cache)

    def answer(self, body: dict[str, Any], betas: Sequence[str]) -> dict[str, Any]:
        """The message. Raises Refused."""
        context = context_of(body, betas)
        instructions = on_demand_of(body, betas)
        if instructions is not None:
            return self._compact_on_demand(body, context, instructions)
        threshold = threshold_of(body, betas, self.least_trigger)
        if threshold is not None and context.tokens() >= threshold.trigger:
            return self._compact(body, context, threshold)
        return self._sampled(body, context, [], [], with_edits=threshold is not None)

    def count(self, body: dict[str, Any], betas: Sequence[str]) -> dict[str, Any]:
        """As `count_tokens` does: summaries in the messages count, none is made. Raises Refused."""
        context = context_of(body, betas)
        counted: dict[str, Any] = {"input_tokens": context.tokens()}
        if body.get("context_management"):
            whole = Context(
                context.system, context.tools, [{**said, "content": blocks_of(said)} for said in body["messages"]]
            )
            counted["context_management"] = {"original_input_tokens": whole.tokens()}
        return counted

    # --- compacting ---------------------------------------------------------------------------------------------------

    def _compact(self, body: dict[str, Any], context: Context, threshold: Threshold) -> dict[str, Any]:
        summary = self.model.summarise(context, threshold.instructions)
        block: Block = {"type": "compaction", "content": summary}
        spent = [self._iteration("compaction", body, context, threshold.instructions or PROMPT, summary or "")]
        if threshold.pauses and summary is not None:
            return _message(body, [block], "compaction", {**_EMPTY, "iterations": spent}, with_edits=True)
        rest = context.after(block) if summary is not None else context
        return self._sampled(body, rest, [block], spent, with_edits=True)

    def _compact_on_demand(self, body: dict[str, Any], context: Context, instructions: str) -> dict[str, Any]:
        summary = self.model.summarise(context, instructions)
        spent = [self._iteration("compaction", body, context, instructions or PROMPT, summary or "")]
        content = [signed(summary)] if summary is not None else []
        stop_reason = "compaction" if summary is not None else "end_turn"
        return _message(body, content, stop_reason, {**_EMPTY, "iterations": spent}, with_edits=False)

    def _iteration(
        self, kind: str, body: dict[str, Any], context: Context, prompt: str, written: Any
    ) -> dict[str, Any]:
        counts = self.cache.counts(body, context)
        counts["input_tokens"] += tokens(prompt)
        return {"type": kind, **counts, "output_tokens": tokens(written), "cache_creation": None}

    def _sampled(
        self, body: dict[str, Any], context: Context, before: list[Block], spent: list[Any], *, with_edits: bool
    ) -> dict[str, Any]:
        """The turn itself, after a compaction or without one."""
        said = self.model.reply(context)
        own = self._iteration("message", body, context, "", said)
        usage = {name: own[name] for name in _EMPTY}
        if with_edits:
            usage["iterations"] = [*spent, own]
        calls = any(block["type"] == "tool_use" for block in said)
        return _message(body, [*before, *said], "tool_use" if calls else "end_turn", usage, with_edits=with_edits)


def _message(
    body: dict[str, Any], content: list[Block], stop_reason: str, usage: dict[str, Any], *, with_edits: bool
) -> dict[str, Any]:
    message = {
        "id": f"msg_{token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }
    return {**message, "context_management": {"applied_edits": []}} if with_edits else message
