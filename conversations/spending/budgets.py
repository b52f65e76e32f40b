"""How a budget stands: what is used of it, what it asks of the agent, and in which words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conversations.spending.tally import Sums
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope, BudgetState

#: What may stand in a message, in braces.
VARIABLES = ("budget", "used", "limit", "percent", "metric", "agent", "conversation")
_VARIABLE = re.compile(r"\{(\w*)\}")
_RANK = {state: rank for rank, state in enumerate(BudgetState)}
_UNITS = {
    BudgetMetric.TOTAL_TOKENS: "tokens",
    BudgetMetric.INPUT_TOKENS: "input tokens",
    BudgetMetric.OUTPUT_TOKENS: "output tokens",
    BudgetMetric.COMPACTION_TOKENS: "tokens spent on compacting",
    BudgetMetric.COMPACTIONS: "compactions",
    BudgetMetric.REQUESTS: "requests",
    BudgetMetric.COST: "US dollars",
}
#: What is said where the team has written nothing, by what the budget asks for.
PLAIN_WORDS = {
    BudgetAction.TELL: "The budget “{budget}” is used up: {used} of {limit} {metric}.",
    BudgetAction.WRAP_UP: (
        "The budget “{budget}” is used up: {used} of {limit} {metric}. Finish the step you are at, say what is done and"
        " what is left, and stop."
    ),
    BudgetAction.BLOCK: "The budget “{budget}” is used up: {used} of {limit} {metric}. Nothing more may be sent.",
}
_WARNING = "{used} of {limit} {metric} of the budget “{budget}” are used ({percent} %)."


@dataclass(frozen=True, slots=True)
class Rule:
    """A budget as people set it. `limit` in tokens, US dollars or a number, as the metric is."""

    id: int
    name: str
    scope: BudgetScope
    metric: BudgetMetric
    limit: float
    action: BudgetAction
    warn_percent: int = 80
    message: str = ""
    agent_name: str = ""

    @property
    def warn_at(self) -> float:
        """From how much on it warns."""
        return self.limit * self.warn_percent / 100

    @property
    def unit(self) -> str:
        """What it counts, in words."""
        return _UNITS[self.metric]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands for one conversation, agent or workspace. `used` None: not known; then nothing is asked."""

    rule: Rule
    used: float | None
    state: BudgetState
    message: str

    @property
    def share(self) -> float:
        """Of the limit, from 0; more than 1 beyond it."""
        return (self.used or 0) / self.rule.limit

    @property
    def percent(self) -> int:
        """The same in whole percent, rounded down: 100 only where the limit is reached."""
        return int((self.used or 0) * 100 // self.rule.limit)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return self.used is not None and self.used >= self.rule.limit


def used_of(metric: BudgetMetric, sums: Sums, cost: float | None) -> float | None:
    """How much of a budget's metric these sums are; None for a cost that is not known."""
    input_tokens = sums.sent + sums.summary_sent
    output_tokens = sums.output_tokens + sums.summary_output_tokens
    return {
        BudgetMetric.TOTAL_TOKENS: input_tokens + output_tokens,
        BudgetMetric.INPUT_TOKENS: input_tokens,
        BudgetMetric.OUTPUT_TOKENS: output_tokens,
        BudgetMetric.COMPACTION_TOKENS: sums.summary_sent + sums.summary_output_tokens,
        BudgetMetric.COMPACTIONS: sums.compactions,
        BudgetMetric.REQUESTS: sums.calls,
        BudgetMetric.COST: cost,
    }[metric]


def stand(rule: Rule, used: float | None, *, agent: str = "", conversation: str = "") -> Standing:
    """How the budget stands when so much is used."""
    state = _state(rule, used)
    return Standing(rule, used, state, _message(rule, state, used, agent, conversation))


def _state(rule: Rule, used: float | None) -> BudgetState:
    if used is None or used < rule.warn_at:
        return BudgetState.OK
    if used < rule.limit:
        return BudgetState.WARN
    return {
        BudgetAction.TELL: BudgetState.WARN,
        BudgetAction.WRAP_UP: BudgetState.WRAP_UP,
        BudgetAction.BLOCK: BudgetState.BLOCK,
    }[rule.action]


def _message(rule: Rule, state: BudgetState, used: float | None, agent: str, conversation: str) -> str:
    if state == BudgetState.OK or used is None:
        return ""
    template = (rule.message or PLAIN_WORDS[rule.action]) if used >= rule.limit else _WARNING
    values = {
        "budget": rule.name,
        "used": amount(used, rule.metric),
        "limit": amount(rule.limit, rule.metric),
        "percent": f"{used / rule.limit * 100:.0f}",
        "metric": rule.unit,
        "agent": agent,
        "conversation": conversation,
    }
    return _filled(template, values)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """With the variables replaced, once: what a value holds is not looked into."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def unknown_variables(template: str) -> list[str]:
    """Names in braces that stand for nothing."""
    return sorted({name for name in _VARIABLE.findall(template) if name not in VARIABLES})


def amount(value: float, metric: BudgetMetric) -> str:
    """2411000 → "2,411,000"; dollars with cents."""
    return f"{value:,.2f}" if metric == BudgetMetric.COST else f"{value:,.0f}"


def worst(standings: Iterable[Standing]) -> Standing | None:
    """The one an agent has to follow: the worst state, of equal ones the fullest. None when there is none."""
    return max(standings, key=lambda each: (_RANK[each.state], each.share), default=None)
