from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.model import Importance
from conversations.audit.retention import NINETY_PERCENT, interval, retention_of
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of, finding_of


def finding(outcome, importance):
    fact = fact_of(Log().agent("Something that was said."))
    return finding_of(replace(fact, importance=Importance(importance)), outcome)


def test_the_share_kept_is_weighed_by_importance():
    kept = retention_of([finding(Outcome.KEPT, 0.75), finding(Outcome.FORGOTTEN, 0.25)])
    assert (kept.value, kept.facts) == (0.75, 2)
    assert kept.low <= kept.value <= kept.high


def test_what_is_no_loss_counts_neither_way():
    others = [finding(Outcome.SUPERSEDED, 1.0), finding(Outcome.UNVERIFIABLE, 1.0)]
    assert retention_of([finding(Outcome.KEPT, 0.5), *others]).facts == 1


def test_nothing_to_count_is_unknown_and_not_zero():
    assert retention_of([]).value is None


def test_two_facts_that_were_kept_are_less_sure_than_two_hundred():
    two, many = (retention_of([finding(Outcome.KEPT, 0.5)] * count) for count in (2, 200))
    assert two.value == many.value == two.high == many.high == 1
    assert two.low < 0.5
    assert many.low > 0.95


def test_unequal_weights_make_the_interval_wider():
    def kept_and_lost(weights):
        return retention_of(
            [finding(Outcome.KEPT, w) for w in weights] + [finding(Outcome.FORGOTTEN, w) for w in weights]
        )

    even, uneven = kept_and_lost([0.5] * 20), kept_and_lost([0.9] * 2 + [0.05] * 18)
    assert even.value == uneven.value == 0.5
    assert even.high - even.low < uneven.high - uneven.low


@given(st.floats(0, 1), st.floats(1, 5_000))
def test_the_interval_is_the_one_that_statisticians_give(share, size):
    """Wilson's interval holds the shares from which the one seen is not more than 1.645 standard deviations away."""
    low, high = interval(share, size)
    assert 0 <= low <= share <= high <= 1
    for edge in (low, high):
        assert abs(share - edge) == pytest.approx(NINETY_PERCENT * (edge * (1 - edge) / size) ** 0.5, abs=1e-6)
