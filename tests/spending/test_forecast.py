from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.forecast import LEAST_STEPS, forecast

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def of(past, **known):
    return forecast(past, **{"used": 0, "limit": 1000, "now": NOW, "step": DAY, **known})


def test_even_use_runs_out_on_a_day_that_is_sure():
    found = of([0, 0, 100, 100, 100, 100], used=500)

    assert (found.rate, found.a_day) == (100, 100)
    assert found.expected == found.early == found.late == NOW + 5 * DAY


def test_uneven_use_is_less_sure():
    found = of([0, 300, 0, 100, 200, 0], used=400)

    assert found.rate == 120  # from the first step with use
    assert found.early < found.expected < found.late
    assert found.expected == NOW + 5 * DAY


@pytest.mark.parametrize("past", [[], [5, 5], [0] * 28, [0, 0, 0, 7, 7]])
def test_too_little_says_nothing(past):
    assert of(past) is None
    assert LEAST_STEPS == 3


def test_what_begins_anew_before_does_not_run_out():
    found = of([100, 100, 100], used=500, end=NOW + 5 * DAY)

    assert (found.expected, found.early, found.late) == (None, None, None)
    assert of([100, 100, 100], used=500, end=NOW + 6 * DAY).expected == NOW + 5 * DAY


def test_what_leaves_a_rolling_window_is_taken_off():
    assert of([100, 100, 100], used=300, limit=350, leaving=[0, 100, 200]).expected == NOW + DAY
    assert of([100, 100, 100], used=300, limit=350, leaving=[100, 100, 100]).expected is None


def test_a_budget_that_is_used_up_ran_out_now():
    assert of([100, 100, 100], used=1000).expected == NOW


def test_only_the_last_steps_count():
    assert of([10_000] * 100 + [1] * 28).rate == 1


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=28), st.floats(0, 1e6), st.floats(1, 1e8))
def test_early_is_never_after_expected_nor_that_after_late(past, used, limit):
    found = of(past, used=used, limit=limit)

    if found is not None:
        ends = [each or NOW + 1000 * DAY for each in (found.early, found.expected, found.late)]
        assert ends == sorted(ends)
