"""What a budget did or would have done, as people see it: a sentence, rows, and a small drawing of past windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from conversations.models import Conversation
from conversations.spending.budget_past import Past
from conversations.spending.budgets import Asker, Rule
from conversations.spending.replay import Passed
from conversations.spending.windows import Window, windows_between
from conversations.vocabulary import BudgetPeriod
from conversations.web.highlight import Html

#: Rows of a table; the rest is counted.
MOST_ROWS = 20
_HEIGHT = 100
_FORMATS = {
    BudgetPeriod.HOUR: "%-d %b %H:%M",
    BudgetPeriod.DAY: "%-d %b",
    BudgetPeriod.WEEK: "%-d %b",
    BudgetPeriod.MONTH: "%b %Y",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One window in which a budget warned or was used up, and whose."""

    passed: Passed
    who: Conversation | str | None
    label: str  # of the window

    @property
    def warned_at(self) -> datetime | None:
        """When it first warned, before it was used up."""
        return min((at for percent, at in self.passed.levels.items() if percent < 100), default=None)  # noqa: PLR2004

    @property
    def percent(self) -> int:
        """Of the limit, at most."""
        return int(self.passed.share * 100)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a budget would have done: in how many windows of how many it warned and was used up, and the fullest."""

    rule: Rule
    since: datetime
    windows: int
    askers: int
    warned: int
    full: int
    most: Passed | None  # the fullest of all
    rows: Sequence[Case]
    more: int
    unknown: int  # windows with a cost that is not known
    past: Past


def shown(rule: Rule, found: Sequence[Passed], past: Past, since: datetime) -> Shown:
    """The windows of `replay` as they are shown, those in which most happened first."""
    reached = sorted((each for each in found if each.levels), key=lambda each: -each.share)
    return Shown(
        rule=rule,
        since=since,
        windows=len(found),
        askers=len({each.asker for each in found}),
        warned=len(reached),
        full=sum(each.full_at is not None for each in reached),
        most=max(found, key=lambda each: each.share, default=None),
        rows=[Case(each, _who(past, each.asker), label_of(rule, each.window)) for each in reached[:MOST_ROWS]],
        more=max(len(reached) - MOST_ROWS, 0),
        unknown=sum(not each.is_known for each in found),
        past=past,
    )


def _who(past: Past, asker: Asker) -> Conversation | str | None:
    if asker.conversation:
        return past.conversations.get(asker.conversation)
    return f"{asker.agent} {asker.version}".strip() or None


def label_of(rule: Rule, window: Window) -> str:
    """A window by its beginning, by the budget's own clock."""
    if window.start is None or not rule.every.is_calendar:
        return ""
    start = window.start if rule.every.period == BudgetPeriod.HOUR else window.start.astimezone(_zone(rule))
    return f"{start:{_FORMATS[rule.every.period]}}"


def _zone(rule: Rule) -> ZoneInfo:
    return ZoneInfo(rule.every.time_zone)


# --- history ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """Past windows of one asker, the oldest first, and their drawing."""

    rows: Sequence[tuple[str, Passed]]
    svg: Html
    caption: str
    who: str


def history(rule: Rule, found: Sequence[Passed], asker: Asker, since: datetime, until: datetime) -> History | None:
    """Of budgets whose windows follow one upon the other; a window without spending is one with nothing."""
    if not rule.every.is_calendar:
        return None
    mine = {each.window: each for each in found if each.asker == asker}
    windows = list(windows_between(rule.every, since, until))[1:]  # the first is not there as a whole
    passed = [mine.get(window) or Passed(asker, window, rule.limit) for window in windows]
    rows = [(label_of(rule, each.window), each) for each in passed]
    full = sum(each.full_at is not None for each in passed)
    caption = f"{len(rows)} windows; the limit was reached in {full} of them." if rows else ""
    who = asker.conversation or f"{asker.agent} {asker.version}".strip()
    return History(rows, _drawn(rows), caption, who)


def _drawn(rows: Sequence[tuple[str, Passed]]) -> Html:
    """A bar a window, and a line at the limit; whole numbers, the browser stretches it to its box."""
    if not rows:
        return Html("")
    top = max(1.0, *(each.share for _, each in rows)) * 1.05
    bars = "".join(_bar(number, each, top) for number, (_, each) in enumerate(rows))
    limit = _HEIGHT - round(_HEIGHT / top)
    width = 10 * len(rows)
    return Html(
        f'<svg class="budget-history" viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="Use of each window; the table below has the numbers">{bars}'
        f'<line class="plot-limit" x1="0" x2="{width}" y1="{limit}" y2="{limit}"/></svg>'
    )


def _bar(number: int, each: Passed, top: float) -> str:
    height = round(_HEIGHT * each.share / top)
    css = "full" if each.full_at else "warned" if each.levels else "well"
    return f'<rect class="bar-{css}" x="{number * 10 + 1}" y="{_HEIGHT - height}" width="8" height="{height}"/>'
