import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.budgets import PLAIN_WORDS, Rule, Standing, amount, stand, unknown_variables, used_of, worst
from conversations.spending.tally import Sums
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope, BudgetState


def rule(**fields):
    made = {
        "id": 1, "name": "Three million", "scope": BudgetScope.CONVERSATION, "metric": BudgetMetric.TOTAL_TOKENS,
        "limit": 3_000_000.0, "action": BudgetAction.WRAP_UP,
    }  # fmt: skip
    return Rule(**{**made, **fields})


@pytest.mark.parametrize(
    ("action", "used", "state"),
    [
        ("wrap_up", None, "ok"),
        ("wrap_up", 0, "ok"),
        ("wrap_up", 2_399_999, "ok"),
        ("wrap_up", 2_400_000, "warn"),
        ("wrap_up", 2_999_999, "warn"),
        ("wrap_up", 3_000_000, "wrap_up"),
        ("block", 2_999_999, "warn"),
        ("block", 9_000_000, "block"),
        ("tell", 9_000_000, "warn"),
    ],
)
def test_state_by_what_is_used(action, used, state):
    assert stand(rule(action=BudgetAction(action)), used).state == state


@pytest.mark.parametrize(
    ("fields", "used", "message"),
    [
        ({}, 5, ""),
        ({}, 2_411_000, "2,411,000 of 3,000,000 tokens of the budget “Three million” are used (80 %)."),
        ({"message": "Stop."}, 2_700_000,
         "2,700,000 of 3,000,000 tokens of the budget “Three million” are used (90 %)."),
        ({"message": "Stop."}, 3_000_000, "Stop."),
        ({"message": "{agent}: {used} of {limit} in {conversation}, {percent} %. {nothing} {}"}, 3_300_000,
         "coder: 3,300,000 of 3,000,000 in {budget}, 110 %. {nothing} {}"),
        ({"action": BudgetAction.TELL}, 3_000_000,
         "The budget “Three million” is used up: 3,000,000 of 3,000,000 tokens."),
        ({"metric": BudgetMetric.COST, "limit": 12.5, "message": "{used} of {limit} {metric}"}, 12.5,
         "12.50 of 12.50 US dollars"),
    ],
)  # fmt: skip
def test_message_says_how_it_stands_in_the_teams_words(fields, used, message):
    assert stand(rule(**fields), used, agent="coder", conversation="{budget}").message == message


SUMS = Sums(
    calls=3, input_tokens=1, cache_read_tokens=20, cache_write_tokens=300, output_tokens=4000, compactions=2,
    summary_input_tokens=50_000, summary_read_tokens=600_000, summary_write_tokens=7_000_000,
    summary_output_tokens=80_000_000, freed_input_tokens=900_000_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "used"),
    [
        ("total_tokens", 87_654_321),
        ("input_tokens", 7_650_321),
        ("output_tokens", 80_004_000),
        ("compaction_tokens", 87_650_000),
        ("compactions", 2),
        ("requests", 3),
        ("cost", 1.5),
    ],
)
def test_each_metric_counts_its_own(metric, used):
    assert used_of(BudgetMetric(metric), SUMS, 1.5) == used


def test_cost_that_is_not_known_asks_for_nothing():
    assert used_of(BudgetMetric.COST, SUMS, None) is None


def standing(state, used=0.0):
    return Standing(rule(), used, BudgetState(state), state)


def test_worst_state_is_followed_then_the_fullest():
    assert worst([]) is None
    assert worst([standing("warn"), standing("block"), standing("wrap_up", 9e9)]).state == "block"
    assert worst([standing("warn", 1), standing("warn", 3), standing("warn", 2)]).used == 3


def test_unknown_variables_are_named():
    assert unknown_variables("{used} {left} {} {budget} {tokens}") == ["", "left", "tokens"]
    assert [unknown_variables(words) for words in PLAIN_WORDS.values()] == [[], [], []]


@pytest.mark.parametrize(("value", "metric", "said"), [(2_411_000, "total_tokens", "2,411,000"), (0.5, "cost", "0.50")])
def test_amount(value, metric, said):
    assert amount(value, BudgetMetric(metric)) == said


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.sampled_from(BudgetAction), st.integers(1, 100))
def test_more_used_is_never_a_better_state(one, other, action, percent):
    less, more = sorted((one, other))
    made = rule(action=action, warn_percent=percent)

    states = list(BudgetState)
    assert states.index(stand(made, less).state) <= states.index(stand(made, more).state)
