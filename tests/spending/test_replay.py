from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.budgets import Asker, Rule, stand
from conversations.spending.replay import Spending, replay
from conversations.spending.windows import SLOT, Every, Window, window_at
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetPeriod, BudgetScope

START = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
CODER = Asker("coder")
HOUR = timedelta(hours=1)


def rule(period="day", zone="UTC", hours=None, **fields):
    made = {
        "id": 1, "name": "Tokens", "scope": BudgetScope.AGENT, "metric": BudgetMetric.TOTAL_TOKENS, "limit": 100.0,
        "action": BudgetAction.WRAP_UP, "warn_percents": (50, 80), "every": Every(BudgetPeriod(period), zone, hours),
    }  # fmt: skip
    return Rule(**{**made, **fields})


def spent(*pairs):
    return {CODER: [Spending(START + hours * HOUR, amount) for hours, amount in pairs]}


def test_each_window_says_when_its_shares_were_reached():
    first, second = replay(rule(), spent((0, 60), (1, 30), (2, 30), (4, 10), (20, 5)))

    assert (first.used, first.levels) == (120, {50: START, 80: START + HOUR, 100: START + 2 * HOUR})
    assert (first.window.end, first.full_at) == (START + 4 * HOUR, START + 2 * HOUR)
    assert (second.used, second.levels, second.full_at) == (15, {}, None)


def test_day_of_daylight_saving_is_one_window_of_25_hours():
    first, second = replay(rule(zone="Europe/Berlin"), spent((2, 60), (26.75, 50), (27, 50)))

    assert first.window.end - first.window.start == 25 * HOUR
    assert (first.used, first.full_at) == (110, START + 26.75 * HOUR)
    assert second.used == 50


def test_whole_life_goes_on_from_what_was_used_before():
    [only] = replay(rule("life"), spent((0, 10), (900, 10)), {CODER: 85.0})

    assert (only.used, only.window) == (105, Window())
    assert only.levels == {50: START, 80: START, 100: START + 900 * HOUR}


def test_rolling_budget_fills_and_empties():
    found = replay(rule("rolling", hours=2), spent((0, 60), (1, 50), (5, 10), (6, 45)))

    assert [(each.peak, each.full_at) for each in found] == [(110, START + HOUR), (55, None)]
    assert found[0].window == Window(START, START + HOUR + SLOT)


def test_what_is_not_known_is_said():
    [only] = replay(rule(), spent((0, 60), (1, None)))

    assert (only.is_known, only.used) == (False, 60)


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 200)), max_size=40, unique_by=lambda each: each[0]),
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_replay_gives_the_states_that_would_have_been_told(pairs, period, zone):
    made = rule(period, zone)
    slots = [Spending(START + number * SLOT, amount) for number, amount in sorted(pairs)]

    told = set()
    for number, slot in enumerate(slots):
        window = window_at(made.every, slot.start)
        used = sum(each.amount for each in slots[: number + 1] if window.holds(each.start))
        if (level := stand(made, used, window=window).level) > 0:
            told.add((window, level))

    found = replay(made, {CODER: slots})
    assert {(each.window, max(each.levels)) for each in found if each.levels} == {
        (window, max(level for other, level in told if other == window)) for window, _ in told
    }


@pytest.mark.parametrize("hours", [1, 24, 48])
def test_rolling_sum_is_that_of_the_window(hours):
    made = rule("rolling", hours=hours, limit=1.0, warn_percents=(1,))
    slots = [Spending(START + number * 7 * SLOT, float(number % 3 + 1)) for number in range(60)]

    [*found] = replay(made, {CODER: slots})

    last = slots[-1]
    window = window_at(made.every, last.start)
    assert found[-1].used == pytest.approx(sum(each.amount for each in slots if window.holds(each.start)))
