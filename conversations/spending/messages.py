"""What is said when a budget warns or is used up: the team's words, with variables in braces."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from conversations.spending.windows import Every, Window
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetPeriod, BudgetScope

#: What may stand in a message, in braces, and what each stands for.
VARIABLES = {
    "budget": "the budget's name",
    "used": "how much is used",
    "limit": "how much may be used",
    "percent": "the same in percent",
    "metric": "what is counted",
    "agent": "the agent's name",
    "conversation": "the conversation's id",
    "resets_at": "when it begins anew",
}
_VARIABLE = re.compile(r"\{(\w*)\}")
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


def message_of(
    written: str, action: BudgetAction, values: Mapping[str, str], window: Window, every: Every, *, is_full: bool
) -> str:
    """The sentence for an agent: a plain warning, or at the limit what the team has written."""
    template = (written or PLAIN_WORDS[action]) if is_full else _WARNING
    return filled(template, {**values, "resets_at": resets_at(window, every)})


def resets_at(window: Window, every: Every) -> str:
    """When the budget begins anew, by its own clock: "2026-11-23 00:00 CET"."""
    if every.period == BudgetPeriod.ROLLING:
        return f"bit by bit, over {hours_in_words(every.hours or 1)}"
    if window.end is None:
        return "never"
    return f"{window.end.astimezone(ZoneInfo(every.time_zone)):%Y-%m-%d %H:%M %Z}"


def hours_in_words(hours: int) -> str:
    """48 → "2 days", 36 → "36 hours"."""
    count, word = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def filled(template: str, values: Mapping[str, str]) -> str:
    """With the variables replaced, once: what a value holds is not looked into."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def unknown_variables(template: str) -> list[str]:
    """Names in braces that stand for nothing."""
    return sorted({name for name in _VARIABLE.findall(template) if name not in VARIABLES})


def amount(value: float, metric: BudgetMetric) -> str:
    """2411000 → "2,411,000"; dollars with cents."""
    return f"{value:,.2f}" if metric == BudgetMetric.COST else f"{value:,.0f}"


# --- a budget in words ------------------------------------------------------------------------------------------------

_PERIODS = {
    BudgetPeriod.LIFE: "over its whole life",
    BudgetPeriod.HOUR: "an hour",
    BudgetPeriod.DAY: "a day",
    BudgetPeriod.WEEK: "a week",
    BudgetPeriod.MONTH: "a month",
}


def period_words(every: Every) -> str:
    """As in “a day (Europe/Berlin)” and “in any 36 hours”."""
    if every.period == BudgetPeriod.ROLLING:
        return f"in any {hours_in_words(every.hours or 1)}"
    words = _PERIODS[every.period]
    has_zone = every.is_calendar and every.period != BudgetPeriod.HOUR and every.time_zone != "UTC"
    return f"{words} ({every.time_zone})" if has_zone else words


def scope_words(scope: BudgetScope, agent: str, version: str, conversation: str, tag: str = "") -> str:
    """Whom a budget judges: "each conversation of coder"."""
    if scope == BudgetScope.CONVERSATION:
        whose = f"the conversation {conversation}" if conversation else "each conversation"
        of = f" of {agent}" if agent and not conversation else ""
        return f"{whose}{of}{f' tagged {tag}' if tag else ''}"
    if scope == BudgetScope.TAG:
        return f"all conversations tagged {tag} together"
    if scope == BudgetScope.AGENT:
        return agent or "each agent"
    if scope == BudgetScope.AGENT_VERSION:
        return f"{agent or 'agents'} {version}" if version else f"each version of {agent or 'each agent'}"
    return "the workspace"
