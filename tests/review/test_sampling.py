import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.review.sampling import Candidate, Sample, disagreement, draw, sample
from conversations.vocabulary import Sampling

MANY = [Candidate(number) for number in range(1, 2001)]


def picked(candidates, sampling, taken=(), **how):
    return [pick.id for pick in sample(candidates, Sample(Sampling(sampling), **how), taken)]


def test_all_is_all():
    assert picked(MANY, "all") == [each.id for each in MANY]


@pytest.mark.parametrize("percent", [1, 10, 50, 100])
def test_random_takes_about_its_share(percent):
    share = len(picked(MANY, "random", percent=percent)) / len(MANY) * 100

    assert share == pytest.approx(percent, abs=3)


def test_random_draws_the_same_for_a_queue_and_another_for_another():
    assert picked(MANY, "random", percent=10, seed=7) == picked(MANY, "random", percent=10, seed=7)
    assert picked(MANY, "random", percent=10, seed=7) != picked(MANY, "random", percent=10, seed=8)


@given(percent=st.integers(1, 99), seed=st.integers(0, 1000))
def test_larger_share_holds_the_smaller_one_and_puts_it_first(percent, seed):
    some = MANY[:200]
    small = picked(some, "random", percent=percent, seed=seed)
    large = sample(some, Sample(Sampling.RANDOM, percent + 1, seed))

    first = [pick.id for pick in sorted(large, key=lambda pick: -pick.priority)]

    assert set(first[: len(small)]) == set(small)


@given(
    st.permutations(MANY[:50]), st.sampled_from([Sampling.ALL, Sampling.RANDOM, Sampling.RISKIEST]), st.integers(0, 50)
)
def test_portions_and_order_make_no_difference(candidates, sampling, cut):
    how = Sample(sampling, 30, 1)

    in_portions = [*sample(candidates[:cut], how), *sample(candidates[cut:], how)]

    assert sorted(each.id for each in in_portions) == picked(MANY[:50], sampling, percent=30, seed=1)


def test_riskiest_puts_the_worst_first_and_leaves_out_what_lost_nothing():
    picks = sample([Candidate(1, risk=0.2), Candidate(2), Candidate(3, risk=0.9)], Sample(Sampling.RISKIEST))

    assert sorted((pick.priority, pick.id) for pick in picks) == [(0.2, 1), (0.9, 3)]


def test_one_per_version_takes_the_worst_of_each_that_is_not_there_yet():
    candidates = [
        Candidate(1, "a", 0.1), Candidate(2, "a", 0.5), Candidate(3, "b", 0.3), Candidate(4, "c"), Candidate(5, "c"),
    ]  # fmt: skip

    assert picked(candidates, "one_per_version", taken={"b"}) == [2, 4]


@pytest.mark.parametrize(
    ("candidate", "score"),
    [
        (Candidate(1), 0),
        (Candidate(1, differing=True), 1),
        (Candidate(1, judged=4, contradicted=1), 0.25),
        (Candidate(1, lost=4, unsure=2), 0.5),
        (Candidate(1, judged=4, contradicted=3, lost=4, unsure=2), 0.75),
    ],
)
def test_disagreement_is_the_largest_doubt(candidate, score):
    assert disagreement(candidate) == score
    assert picked([candidate], "disagreement") == ([1] if score else [])


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_draw_is_a_share(number, seed):
    assert 0 <= draw(number, seed) < 1
