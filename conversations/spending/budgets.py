"""How a budget stands: what is used, which limit holds, what is asked of the agent, and which budget is followed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.spending.messages import amount, message_of
from conversations.spending.tally import Sums
from conversations.spending.windows import FOR_LIFE, LIFE, Every, Window
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope, BudgetState

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
_AT_LIMIT = {
    BudgetAction.TELL: BudgetState.WARN,
    BudgetAction.WRAP_UP: BudgetState.WRAP_UP,
    BudgetAction.BLOCK: BudgetState.BLOCK,
}
_ASKS = {BudgetState.WARN: "warns", BudgetState.WRAP_UP: "asks to wrap up", BudgetState.BLOCK: "blocks"}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an agent by name and version, a conversation by its source's id, and its tags. "" = not named or not
    known."""

    agent: str = ""
    version: str = ""
    conversation: str = ""
    tags: tuple[str, ...] = ()


NOBODY = Asker()


@dataclass(frozen=True, slots=True)
class Rule:
    """A budget as people set it. `limit` in tokens, US dollars or a number, as the metric is; `warn_percents` of it,
    from the lowest."""

    id: int
    name: str
    scope: BudgetScope
    metric: BudgetMetric
    limit: float
    action: BudgetAction
    warn_percents: tuple[int, ...] = (80,)
    message: str = ""
    every: Every = FOR_LIFE
    agent_name: str = ""
    agent_version: str = ""
    conversation_name: str = ""
    tag_name: str = ""

    @property
    def unit(self) -> str:
        """What it counts, in words."""
        return _UNITS[self.metric]

    def concerns(self, asker: Asker) -> bool:
        """Whether the asker comes under it: named where it names somebody, and known as far as its scope goes."""
        named = {
            BudgetScope.CONVERSATION: asker.conversation,
            BudgetScope.AGENT: asker.agent,
            BudgetScope.AGENT_VERSION: asker.agent,
            BudgetScope.TAG: self.tag_name,
            BudgetScope.WORKSPACE: "always",
        }
        pairs = (
            (self.agent_name, asker.agent),
            (self.agent_version, asker.version),
            (self.conversation_name, asker.conversation),
        )
        has_tag = self.tag_name in ("", *asker.tags)
        return has_tag and bool(named[self.scope]) and all(wanted in ("", given) for wanted, given in pairs)


@dataclass(frozen=True, slots=True)
class Override:
    """Another limit for a while; of whoever is named, else of all that come under the budget."""

    id: int
    limit: float
    created_at: datetime
    expires_at: datetime
    reason: str = ""
    agent_name: str = ""
    conversation_name: str = ""
    ended_at: datetime | None = None
    tag_name: str = ""

    def holds(self, asker: Asker, at: datetime) -> bool:
        """Whether it is in force for the asker at that time."""
        end = min(self.expires_at, self.ended_at or self.expires_at)
        is_theirs = self.agent_name in ("", asker.agent) and self.conversation_name in ("", asker.conversation)
        return is_theirs and self.tag_name in ("", *asker.tags) and self.created_at <= at < end

    @property
    def exactness(self) -> tuple[bool, bool, bool, datetime]:
        """A conversation's own before a tag's before an agent's before everybody's; of equal ones the newest."""
        return (bool(self.conversation_name), bool(self.tag_name), bool(self.agent_name), self.created_at)


def override_for(overrides: Iterable[Override], asker: Asker, at: datetime) -> Override | None:
    """The one that holds."""
    return max((each for each in overrides if each.holds(asker, at)), key=lambda each: each.exactness, default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands for one conversation, agent or workspace. `used` None: not known; then nothing is asked."""

    rule: Rule
    used: float | None
    state: BudgetState
    message: str
    limit: float  # the budget's own, or an override's
    window: Window = LIFE
    override: Override | None = None

    @property
    def share(self) -> float:
        """Of the limit, from 0; more than 1 beyond it."""
        return (self.used or 0) / self.limit

    @property
    def percent(self) -> int:
        """The same in whole percent, rounded down: 100 only where the limit is reached."""
        return int((self.used or 0) * 100 // self.limit)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return self.used is not None and self.used >= self.limit

    @property
    def warn_levels(self) -> list[float]:
        """From how much on it warns, from the lowest."""
        return [self.limit * percent / 100 for percent in self.rule.warn_percents]

    @property
    def warn_at(self) -> float:
        """The lowest of them; the limit where there is none."""
        return min(self.warn_levels, default=self.limit)

    @property
    def level(self) -> int:
        """The highest share that is reached, in percent: one at which it warns, or 100 for the limit; 0 = none."""
        return reached(self.rule, self.used, self.limit)


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


def reached(rule: Rule, used: float | None, limit: float) -> int:
    """The highest share that is reached, in percent; see `Standing.level`."""
    if used is None:
        return 0
    levels = [percent for percent in (*rule.warn_percents, 100) if used >= limit * percent / 100]
    return max(levels, default=0)


def stand(
    rule: Rule,
    used: float | None,
    *,
    asker: Asker = NOBODY,
    window: Window = LIFE,
    override: Override | None = None,
) -> Standing:
    """How the budget stands for the asker when so much is used in the window."""
    limit = override.limit if override else rule.limit
    state = _state(rule, used, limit)
    words = "" if state == BudgetState.OK or used is None else _words(rule, used, limit, asker, window)
    return Standing(rule, used, state, words, limit, window, override)


def _state(rule: Rule, used: float | None, limit: float) -> BudgetState:
    level = reached(rule, used, limit)
    if level >= 100:  # noqa: PLR2004 -- percent
        return _AT_LIMIT[rule.action]
    return BudgetState.WARN if level else BudgetState.OK


def _words(rule: Rule, used: float, limit: float, asker: Asker, window: Window) -> str:
    values = {
        "budget": rule.name,
        "used": amount(used, rule.metric),
        "limit": amount(limit, rule.metric),
        "percent": f"{used / limit * 100:.0f}",
        "metric": rule.unit,
        "agent": asker.agent,
        "conversation": asker.conversation,
    }
    return message_of(rule.message, rule.action, values, window, rule.every, is_full=used >= limit)


# --- which one is followed --------------------------------------------------------------------------------------------


def worst(standings: Iterable[Standing]) -> Standing | None:
    """The one an agent has to follow: the worst state, of equal ones the fullest, then the oldest. None when there is
    none."""
    return max(standings, key=lambda each: (_RANK[each.state], each.share, -each.rule.id), default=None)


def why(followed: Standing | None, standings: Sequence[Standing]) -> str:
    """In one sentence, why this one of them decides."""
    if followed is None:
        return "No budget concerns whoever asks."
    if followed.state == BudgetState.OK:
        return f"None of {_budgets(len(standings))} warns."
    alike = sum(each.state == followed.state for each in standings)
    words = f"“{followed.rule.name}” {_ASKS[followed.state]} at {followed.percent} %"
    if len(standings) == 1:
        return f"{words}; it is the only budget."
    if alike > 1:
        return f"{words}: of {alike} budgets in this state, the strictest here, it is the fullest."
    return f"{words}: the strictest of {_budgets(len(standings))}."


def _budgets(count: int) -> str:
    return "1 budget" if count == 1 else f"{count} budgets"
