"""What a run sent and got, counted from the answers' own usage: every sampling, the summarising ones included."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """Tokens are those that are billed: input is what was read fresh, from the cache and into it."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    compactions: int = 0
    compaction_input: int = 0  # of the summarising calls, part of the input above
    compaction_output: int = 0
    largest_context: int = 0  # that a turn read

    @property
    def total_tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens


def figures_of(messages: Iterable[Any]) -> Figures:
    """Of the answers of one run, as the client has them."""
    answers = list(messages)
    samplings = [sampling for message in answers for sampling in _samplings(message.usage)]
    summaries = [each for each in samplings if getattr(each, "type", "") == "compaction"]
    return Figures(
        requests=len(answers),
        input_tokens=sum(map(_input, samplings)),
        output_tokens=sum(each.output_tokens for each in samplings),
        compactions=len(summaries),
        compaction_input=sum(map(_input, summaries)),
        compaction_output=sum(each.output_tokens for each in summaries),
        largest_context=max((_input(each) for each in samplings if each not in summaries), default=0),
    )


def _samplings(usage: Any) -> list[Any]:
    return list(getattr(usage, "iterations", None) or [usage])


def _input(usage: Any) -> int:
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return int(usage.input_tokens + cached)


def saved(before: int, after: int) -> str:
    """How much less `after` is, as people read it: "58.6 % less"."""
    if not before:
        return ""
    share = 100 * (before - after) / before
    return f"{abs(share):.1f} % {'less' if share >= 0 else 'more'}"
