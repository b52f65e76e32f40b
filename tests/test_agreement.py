import warnings

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from conversations.agreement import cohen_kappa, krippendorff_alpha, percent_agreement, wilson

VALUES = ["bad", "fair", "good", "best"]
units = st.lists(st.dictionaries(st.sampled_from("abcde"), st.sampled_from(VALUES), max_size=5), max_size=40)
pairs = st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), min_size=1, max_size=60)


def as_matrix(rated):
    """One row a rater, one column a unit, as the library wants it."""
    return np.array([[VALUES.index(unit[rater]) if rater in unit else np.nan for unit in rated] for rater in "abcde"])


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
@given(rated=units)
def test_alpha_is_what_the_library_says(level, rated):
    paired = [unit for unit in rated if len(unit) > 1]
    assume(len({value for unit in paired for value in unit.values()}) > 1)

    ours = krippendorff_alpha(rated, VALUES if level == "ordinal" else None)
    theirs = krippendorff.alpha(as_matrix(paired), level_of_measurement=level, value_domain=range(len(VALUES)))

    assert ours.value == pytest.approx(theirs)
    assert ours.units == len(paired)


@given(pairs)
def test_kappa_is_what_the_library_says(said):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sklearn divides by zero where it is not defined
        theirs = cohen_kappa_score(*zip(*said, strict=True))

    ours = cohen_kappa(said)

    assert ours.value == (None if np.isnan(theirs) else pytest.approx(theirs))


@given(units)
def test_intervals_hold_their_value(rated):
    for measure in (percent_agreement(rated), krippendorff_alpha(rated), krippendorff_alpha(rated, VALUES)):
        if measure.low is not None:
            assert measure.low <= measure.value + 1e-9
            assert measure.value - 1e-9 <= measure.high <= 1


@given(units)
def test_who_is_called_what_changes_nothing(rated):
    renamed = [{f"{rater}!": value for rater, value in unit.items()} for unit in rated]

    assert krippendorff_alpha(renamed, VALUES).value == krippendorff_alpha(rated, VALUES).value


@pytest.mark.parametrize(
    ("rated", "value", "of"),
    [
        ([], None, 0),
        ([{"a": "bad"}], None, 0),  # nobody to agree with
        ([{"a": "bad", "b": "bad"}], 1.0, 1),
        ([{"a": "bad", "b": "bad"}, {"a": "bad", "b": "good"}], 0.5, 2),
        ([{"a": "bad", "b": "bad", "c": "good"}], 1 / 3, 1),
    ],
)
def test_percent_agreement_counts_pairs(rated, value, of):
    measure = percent_agreement(rated)

    assert measure.value == (value if value is None else pytest.approx(value))
    assert (measure.units, measure.low, measure.high) == (of, None, None)


def test_agreement_beyond_chance_is_not_defined_where_all_say_the_same():
    rated = [{"a": "bad", "b": "bad"}] * 5

    assert krippendorff_alpha(rated).value is None
    assert cohen_kappa([("bad", "bad")] * 5).value is None
    assert percent_agreement(rated).value == 1


def test_interval_narrows_with_more_units():
    few = [{"a": "bad", "b": "bad"}, {"a": "good", "b": "good"}, {"a": "bad", "b": "good"}, {"a": "good", "b": "good"}]

    wide, narrow = krippendorff_alpha(few), krippendorff_alpha(few * 25)

    assert narrow.high - narrow.low < wide.high - wide.low


@pytest.mark.parametrize(
    ("right", "of", "interval"),
    [(0, 0, None), (0, 10, (0, 0.2775)), (10, 10, (0.7225, 1)), (81, 263, (0.2553, 0.3662))],  # the last: Newcombe 1998
)
def test_wilson_interval(right, of, interval):
    assert wilson(right, of) == (interval and pytest.approx(interval, abs=1e-4))
