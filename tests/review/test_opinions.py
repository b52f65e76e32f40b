import pytest

from conversations.review.opinions import Difference, Opinion, differences, state_of


def said(overall="faithful", criteria=None, answers=None):
    return Opinion(overall, criteria or {}, answers or {})


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (said(), said(), []),
        (said(), said("harmful_loss"), [Difference("overall", "", weighty=True)]),
        (said(criteria={"a": 1}), said(criteria={"b": 4}), []),
        (said(criteria={"a": 2}), said(criteria={"a": 3}), [Difference("criterion", "a", weighty=False)]),
        (said(criteria={"a": 1}), said(criteria={"a": 3}), [Difference("criterion", "a", weighty=True)]),
        (said(answers={"f": "agree"}), said(answers={"f": "not_lost"}), [Difference("finding", "f", weighty=True)]),
        (said(answers={"f": "reword"}), said(answers={"f": "agree"}), [Difference("finding", "f", weighty=False)]),
        (
            said(answers={"f": "agree"}), said(answers={"f": "does_not_matter"}),
            [Difference("finding", "f", weighty=False)],
        ),
        (said(answers={"f": "agree"}), said(), []),
    ],
)  # fmt: skip
def test_differences(one, other, found):
    assert differences([one, other]) == found
    assert differences([other, one]) == found


@pytest.mark.parametrize(
    ("opinions", "settled", "state"),
    [
        ([], False, "waiting"),
        ([said()], False, "waiting"),
        ([said(), said()], False, "done"),
        ([said(), said("minor_loss")], False, "disagreed"),
        ([said(), said("minor_loss")], True, "settled"),
        ([said(criteria={"a": 1}), said(criteria={"a": 2})], False, "done"),
    ],
)
def test_state_follows_from_what_was_handed_in(opinions, settled, state):
    assert state_of(opinions, asked=2, settled=settled) == state
