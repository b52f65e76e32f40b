import random
from dataclasses import replace
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.learned import logit
from conversations.review.learning import (
    FEWEST_CONVERSATIONS,
    FEWEST_FITTED,
    FEWEST_HELD,
    Example,
    fit,
    is_held_out,
    learn,
)
from conversations.vocabulary import RankingState

KINDS = ("value", "decision", "finding", "command")
DETECTORS = ("words", "values")


def example(at=0, *, kind="value", detector="words", rank=0.4, is_worth=True, conversation=1):
    traits = (f"kind {kind}", f"detector {detector}")
    return Example(conversation, conversation, f"f{at}", at + 1, rank, traits, is_worth)


def team(seed, *, conversations=90, taste=None):
    """Judgements of a team that likes some kinds better than the shipped ranking does; None: they are drawn by lot."""
    drawn = random.Random(seed)
    return [
        replace(each, is_worth=drawn.random() < _chance(each, taste))
        for conversation in range(1, conversations + 1)
        for each in (
            example(
                at, kind=drawn.choice(KINDS), detector=drawn.choice(DETECTORS), rank=rank, conversation=conversation
            )
            for at, rank in enumerate(sorted((drawn.betavariate(2, 4) for _ in range(8)), reverse=True))
        )
    ]


def _chance(each, taste):
    if taste is None:
        return 0.35
    return 1 / (1 + exp(-logit(each.rank) - taste.get(each.traits[0], 0.0)))


TASTE = {"kind decision": 1.5, "kind command": -1.5}


@pytest.mark.parametrize("seed", range(5))
def test_a_teams_taste_helps_on_conversations_that_were_held_out(seed):
    learned = learn(team(seed, taste=TASTE))

    assert learned.state is RankingState.USED
    assert learned.trial.gain.low > 0
    assert learned.trial.after.value > learned.trial.before.value + 0.05
    assert learned.trial.first_after >= learned.trial.first_before
    assert learned.weights["kind decision"] > 0.5 > -0.5 > learned.weights["kind command"]


@pytest.mark.parametrize("seed", range(5))
def test_labels_that_are_noise_are_refused(seed):
    learned = learn(team(seed))

    assert (learned.state, learned.weights) == (RankingState.NO_BETTER, {})
    assert learned.trial.gain.low <= 0


def test_figures_are_those_of_the_held_out_part():
    examples = team(1, taste=TASTE)
    held = [each for each in examples if is_held_out(each.conversation)]

    trial = learn(examples).trial

    assert (trial.held, trial.fitted) == (len(held), len(examples) - len(held))
    assert trial.first == 5 * len({each.conversation for each in held})
    pairs = right = 0
    for conversation in {each.conversation for each in held}:
        rows = sorted((e for e in held if e.conversation == conversation), key=lambda e: -e.rank)
        for at, better in enumerate(rows):
            for worse in rows[at + 1 :]:
                pairs += better.is_worth != worse.is_worth
                right += better.is_worth and not worse.is_worth
    assert (trial.pairs, trial.before.value) == (pairs, pytest.approx(right / pairs))


@pytest.mark.parametrize("conversations", [0, 1, 10])
def test_few_verdicts_change_nothing(conversations):
    learned = learn(team(3, conversations=conversations, taste=TASTE))

    assert (learned.state, learned.weights) == (RankingState.TOO_FEW, {})
    few = learned.trial.held < FEWEST_HELD or learned.trial.conversations < FEWEST_CONVERSATIONS
    assert few or learned.trial.fitted < FEWEST_FITTED


def test_weights_are_drawn_towards_the_shipped_ranking():
    few = fit([example(at) for at in range(3)])[1]
    many = fit([example(at) for at in range(300)] + [example(at, kind="ask", is_worth=False) for at in range(300)])[1]

    assert abs(few.get("kind value", 0)) < 0.05
    assert many["kind value"] > 0.5


def test_fit_is_where_its_slope_is_flat():
    examples = team(2, conversations=20, taste=TASTE)

    strictness, weights = fit(examples)

    for trait, weight in weights.items():
        missing = sum(
            each.is_worth - 1 / (1 + exp(-logit(each.rank) - strictness - sum(map(weights.get, each.traits))))
            for each in examples
            if trait in each.traits
        )
        assert missing == pytest.approx(weight / 0.5**2, abs=0.2)  # weights are rounded to three digits


JUDGED = st.builds(
    example, st.integers(0, 10_000), kind=st.sampled_from(KINDS), detector=st.sampled_from(DETECTORS),
    rank=st.floats(0, 1), is_worth=st.booleans(), conversation=st.integers(1, 30),
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(JUDGED, max_size=40, unique_by=lambda each: (each.compaction, each.fact_id)), st.randoms())
def test_the_order_of_verdicts_changes_nothing(examples, drawn):
    mixed = list(examples)
    drawn.shuffle(mixed)

    assert learn(mixed) == learn(examples)


@settings(max_examples=30, deadline=None)
@given(st.lists(JUDGED, max_size=25), JUDGED)
def test_one_more_word_for_a_finding_never_lowers_what_is_like_it(examples, one):
    """With the strictness, of which the weights are what a trait differs by."""
    before, after = ((_likes(given, one)) for given in (examples, [*examples, replace(one, is_worth=True)]))

    assert after >= before - 0.002  # three traits rounded to three digits


def _likes(examples, one):
    strictness, weights = fit(examples)
    return strictness + sum(weights.get(trait, 0.0) for trait in one.traits)


def test_conversations_are_never_split_and_a_third_is_held_out():
    held = sum(map(is_held_out, range(3_000)))

    assert [is_held_out(7), is_held_out(7)] == [is_held_out(7)] * 2
    assert 900 < held < 1_100
