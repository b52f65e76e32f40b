import pytest

from conversations.web.survival import survival, survival_svg, survival_words


def stages(text):
    outcomes = {"k": "kept", "f": "forgotten", "a": "altered", "s": "superseded"}
    return [{"outcome": outcomes[letter]} for letter in text]


@pytest.mark.parametrize(
    ("lives", "shares"),
    [
        ([], []),
        (["k"] * 4, []),  # too few to speak of a share
        (["k"] * 8 + ["f"] * 2, [(1, 80, 10)]),
        (["kk"] * 6 + ["kf"] * 2 + ["f"] * 2, [(1, 80, 10), (2, 60, 8)]),
        (["a"] * 5, [(1, 0, 5)]),
        (["s"] * 9, []),  # replaced or finished: no loss
        (["fk"] * 5 + ["k"] * 5, [(1, 50, 10)]),  # it came back, but the summary did not carry it
    ],
)
def test_share_still_kept(lives, shares):
    found = survival([stages(life) for life in lives])

    assert [(share.after, share.percent, share.followed) for share in found] == shares


def test_young_facts_count_as_far_as_they_were_followed():
    old, young = ["kk"] * 5, ["k"] * 90 + ["f"] * 5

    assert [share.percent for share in survival([stages(life) for life in old + young])] == [95, 95]


def test_words_and_picture_say_the_same():
    shares = survival([stages(life) for life in ["kk"] * 6 + ["kf"] * 2 + ["f"] * 2])

    assert survival_words(shares) == "Share of facts still kept: 80 % after 1, 60 % after 2 compactions (10 facts)."
    assert survival_svg(shares).count("<rect") == 2
    assert survival_words([]) == survival_svg([]) == ""
