from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.budgets import Asker, Override, Rule, Standing, override_for, stand, used_of, why, worst
from conversations.spending.messages import PLAIN_WORDS, amount, unknown_variables
from conversations.spending.tally import Sums
from conversations.spending.windows import Every, window_at
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetPeriod, BudgetScope, BudgetState


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
    asker = Asker("coder", conversation="{budget}")

    assert stand(rule(**fields), used, asker=asker).message == message


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
    return Standing(rule(), used, BudgetState(state), state, limit=3_000_000)


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
    made = rule(action=action, warn_percents=(percent,))

    states = list(BudgetState)
    assert states.index(stand(made, less).state) <= states.index(stand(made, more).state)


# --- whom it concerns, overrides, and which one is followed -----------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "asker", "concerned"),
    [
        ({}, Asker("coder"), False),
        ({}, Asker(conversation="c"), True),
        ({"agent_name": "coder"}, Asker("other", conversation="c"), False),
        ({"conversation_name": "c"}, Asker(conversation="c"), True),
        ({"conversation_name": "c"}, Asker(conversation="d"), False),
        ({"scope": BudgetScope.AGENT}, Asker("coder"), True),
        ({"scope": BudgetScope.AGENT}, Asker(), False),
        ({"scope": BudgetScope.AGENT_VERSION}, Asker("coder"), True),
        ({"scope": BudgetScope.AGENT_VERSION, "agent_version": "2"}, Asker("coder", "1"), False),
        ({"scope": BudgetScope.AGENT_VERSION, "agent_version": "2"}, Asker("coder", "2"), True),
        ({"scope": BudgetScope.WORKSPACE}, Asker(), True),
    ],
)
def test_a_budget_concerns_whom_it_names(fields, asker, concerned):
    assert rule(**fields).concerns(asker) is concerned


AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def override(number, **fields):
    made = {"created_at": AT + number * timedelta(minutes=1), "expires_at": AT + timedelta(hours=1), **fields}
    return Override(number, 1000.0 * number, **made)


@pytest.mark.parametrize(
    ("overrides", "held"),
    [
        ([], None),
        ([override(1)], 1),
        ([override(1), override(2)], 2),
        ([override(1, conversation_name="c"), override(2, agent_name="coder"), override(3)], 1),
        ([override(1), override(2, conversation_name="d"), override(3, agent_name="other")], 1),
        ([override(1, tag_name="night"), override(2, agent_name="coder"), override(3)], 1),
        ([override(1, conversation_name="c"), override(2, tag_name="night")], 1),
        ([override(1), override(2, tag_name="day")], 1),
        ([override(1), override(2, ended_at=AT + timedelta(minutes=5))], 1),
        ([override(20)], None),
        ([override(1, expires_at=AT + timedelta(minutes=10))], None),
    ],
)
def test_the_most_exact_override_in_force_holds_then_the_newest(overrides, held):
    found = override_for(overrides, Asker("coder", "", "c", ("night",)), AT + timedelta(minutes=10))

    assert (found and found.id) == held


def test_override_is_the_limit_and_its_levels():
    found = stand(rule(warn_percents=(50, 80)), 3_500_000, override=override(5))

    assert (found.state, found.limit, found.warn_levels, found.level) == ("wrap_up", 5000, [2500, 4000], 100)
    assert stand(rule(limit=2000.0), 3_500, override=override(5)).state == "ok"


def test_levels_say_the_highest_that_is_reached():
    made = rule(limit=100.0, warn_percents=(50, 80))

    assert [stand(made, used).level for used in (None, 49, 50, 79, 80, 100, 500)] == [0, 0, 50, 50, 80, 100, 100]
    assert stand(rule(warn_percents=()), 2_999_999).state == "ok"


@pytest.mark.parametrize(
    ("every", "said"),
    [
        (Every(), "never"),
        (Every(BudgetPeriod.DAY, "Europe/Berlin"), "2026-11-23 00:00 CET"),
        (Every(BudgetPeriod.ROLLING, hours=48), "bit by bit, over 2 days"),
        (Every(BudgetPeriod.ROLLING, hours=1), "bit by bit, over 1 hour"),
    ],
)
def test_message_says_when_the_budget_begins_anew(every, said):
    window = window_at(every, AT)

    assert stand(rule(every=every, message="{resets_at}"), 3_000_000, window=window).message == said


def test_why_says_which_budget_decides():
    one, other, full = standing("wrap_up", 4e6), standing("warn", 1), standing("wrap_up", 9e6)

    assert why(None, []) == "No budget concerns whoever asks."
    assert why(standing("ok"), [standing("ok")]) == "None of 1 budget warns."
    assert why(other, [other]) == "“Three million” warns at 0 %; it is the only budget."
    assert why(one, [one, other]) == "“Three million” asks to wrap up at 133 %: the strictest of 2 budgets."
    assert why(full, [one, other, full]) == (
        "“Three million” asks to wrap up at 300 %: of 2 budgets in this state, the strictest here, it is the fullest."
    )
