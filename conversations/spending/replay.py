"""What a budget would have done: its windows over a time that is past, for the history and for the preview.

The states are those that `budgets.stand` gives, looked at after each quarter of an hour in which something was spent.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversations.spending.budgets import Asker, Rule, reached
from conversations.spending.windows import HOUR, LIFE, SLOT, Window, window_at
from conversations.vocabulary import BudgetPeriod

FULL = 100  # percent


@dataclass(frozen=True, slots=True)
class Spending:
    """What one was counted for in a quarter of an hour, in the budget's metric; None = not known."""

    start: datetime
    amount: float | None


@dataclass(slots=True)
class Passed:
    """One window of one asker: what was used in it, and when each share was first reached."""

    asker: Asker
    window: Window
    limit: float
    used: float = 0
    peak: float = 0  # of a rolling one, which goes down again
    is_known: bool = True
    levels: dict[int, datetime] = field(default_factory=dict)  # percent → the quarter of an hour

    @property
    def share(self) -> float:
        """The most that was used at once, of the limit."""
        return max(self.used, self.peak) / self.limit

    @property
    def full_at(self) -> datetime | None:
        """When the limit was reached."""
        return self.levels.get(FULL)

    def look(self, rule: Rule, at: datetime) -> None:
        """Note what is reached now."""
        self.peak = max(self.peak, self.used)
        level = reached(rule, self.used, self.limit)
        for percent in (*rule.warn_percents, FULL):
            if percent <= level:
                self.levels.setdefault(percent, at)


def replay(
    rule: Rule, spendings: Mapping[Asker, Sequence[Spending]], bases: Mapping[Asker, float] | None = None
) -> list[Passed]:
    """The windows in which anything was spent, by asker and time. Spendings are in order of time, one a quarter.

    `bases`: what was used before the first spending, of budgets over a whole life. Of a rolling budget each time above
    its first warning is one window, from when it was reached until it was left."""
    passed: list[Passed] = []
    for asker, mine in spendings.items():
        walk = _rolling if rule.every.period == BudgetPeriod.ROLLING else _windows
        passed += walk(rule, asker, mine, (bases or {}).get(asker, 0))
    return passed


def _windows(rule: Rule, asker: Asker, spendings: Sequence[Spending], base: float) -> Iterator[Passed]:
    now: Passed | None = None
    for spending in spendings:
        if now is None or not now.window.holds(spending.start):
            if now is not None:
                yield now
            window = window_at(rule.every, spending.start)
            now = Passed(asker, window, rule.limit, used=base if window == LIFE else 0)
        now.is_known &= spending.amount is not None
        now.used += spending.amount or 0
        now.look(rule, spending.start)
    if now is not None:
        yield now


def _rolling(rule: Rule, asker: Asker, spendings: Sequence[Spending], _: float) -> Iterator[Passed]:
    """The sum changes with each spending and when one leaves the window; it is looked at after each spending."""
    length = (rule.every.hours or 1) * HOUR
    inside: deque[Spending] = deque()
    used, now = 0.0, None
    for spending in spendings:
        used += _leave(inside, spending.start + SLOT - length) + (spending.amount or 0)
        inside.append(spending)
        if now is not None and not reached(rule, used, rule.limit):
            yield now
            now = None
        if now is None and reached(rule, used, rule.limit):
            now = Passed(asker, Window(spending.start, spending.start + SLOT), rule.limit)
        if now is not None:
            now.window = Window(now.window.start, spending.start + SLOT)
            now.used = used
            now.is_known &= spending.amount is not None
            now.look(rule, spending.start)
    if now is not None:
        yield now


def _leave(inside: deque[Spending], before: datetime) -> float:
    """Take out what is older; what that changes."""
    gone = 0.0
    while inside and inside[0].start < before:
        gone -= inside.popleft().amount or 0
    return gone
