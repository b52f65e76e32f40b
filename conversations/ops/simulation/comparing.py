"""The same workflow twice, and the difference: as a table for a terminal, beside what was published."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conversations.ops.simulation.figures import Figures, saved
from conversations.ops.simulation.requests import LEAST_TRIGGER
from conversations.ops.simulation.running import Destination, Run, Workflow, run

#: The notebook `automatic-context-compaction` of Anthropic's cookbook: five tickets, its client summarised at 5,000
#: tokens. The summarising calls' own input is not in its second figure, and its second run took 11 calls fewer.
PUBLISHED_WITHOUT = Figures(requests=37, input_tokens=204_416, output_tokens=4_422)
PUBLISHED_WITH = Figures(requests=26, input_tokens=82_171, output_tokens=4_275, compactions=2)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both runs, and the conversations they were recorded as."""

    workflow: Workflow
    without: Run
    compacted: Run
    conversations: tuple[str, str]


def compare(workflow: Workflow, name: str, destination: Destination | None = None) -> Comparison:
    """`workflow` with its trigger, and before it without one. `name` tells this comparison from others."""
    names = (f"{name}-without", f"{name}-with")
    without = run(replace(workflow, trigger=None), names[0], destination)
    return Comparison(workflow, without, run(workflow, names[1], destination), names)


def table(comparison: Comparison) -> Iterator[str]:
    """Lines of text."""
    without, compacted = comparison.without.figures, comparison.compacted.figures
    yield _line("", "without", f"at {comparison.workflow.trigger:,}")
    yield _line("requests", without.requests, compacted.requests)
    yield _line("input tokens", without.input_tokens, compacted.input_tokens, compare_them=True)
    yield _line("  of them for summaries", without.compaction_input, compacted.compaction_input)
    yield _line("output tokens", without.output_tokens, compacted.output_tokens, compare_them=True)
    yield _line("  of them summaries", without.compaction_output, compacted.compaction_output)
    yield _line("total tokens", without.total_tokens, compacted.total_tokens, compare_them=True)
    yield _line("largest context", without.largest_context, compacted.largest_context, compare_them=True)
    yield _line("compactions", without.compactions, compacted.compactions)
    yield _line("tickets completed", comparison.without.completed, comparison.compacted.completed)
    yield ""
    yield from _published()
    if (comparison.workflow.trigger or LEAST_TRIGGER) < LEAST_TRIGGER:
        yield f"The API takes no trigger below {LEAST_TRIGGER:,}; the stand-in was told to."


def _line(name: str, without: float | str, compacted: float | str, *, compare_them: bool = False) -> str:
    figures = [figure if isinstance(figure, str) else f"{figure:,}" for figure in (without, compacted)]
    difference = f"  {saved(int(without), int(compacted))}" if compare_them else ""
    return f"{name:<24}{figures[0]:>12}{figures[1]:>12}{difference}"


def _published() -> Iterator[str]:
    without, compacted = PUBLISHED_WITHOUT, PUBLISHED_WITH
    inputs = f"input {without.input_tokens:,} → {compacted.input_tokens:,}"
    totals = f"total {without.total_tokens:,} → {compacted.total_tokens:,}"
    yield (
        f"Published: {inputs} ({saved(without.input_tokens, compacted.input_tokens)}), "
        f"{totals} ({saved(without.total_tokens, compacted.total_tokens)})."
    )
    yield (
        f"There {without.requests} requests became {compacted.requests}, and what the summaries read is not counted: "
        "see docs/capture.md."
    )
