from datetime import UTC, date, datetime

import pytest

from conversations.review.precision import Judged, decided, found_losses, precision, precision_by, rank_of, week_of

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday


def judged(answer, fact="f1", **fields):
    fields = {"outcome": "forgotten", "kind": "rule", "detector": "words", "number": 1, "version": "3", **fields}
    return Judged(compaction=1, fact_id=fact, at=AT, answer=answer, **fields)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        (["agree"], "agree"),
        (["not_lost"], "not_lost"),
        (["agree", "not_lost"], None),
        (["agree", "not_lost", "wrong_fact"], "wrong_fact"),
        (["agree", "reword", "wrong_fact"], "reword"),
        (["does_not_matter", "does_not_matter", "agree"], "does_not_matter"),
        (["does_not_matter", "agree"], "agree"),
    ],
)
def test_more_than_half_decide(answers, word):
    said = decided([judged(answer) for answer in answers])

    assert (said and said.answer) == word


def test_a_settled_record_decides_alone():
    said = [judged("agree"), judged("agree"), judged("wrong_fact", settles=True)]

    assert decided(said).answer == "wrong_fact"


def test_precision_counts_findings_not_words():
    said = [judged("agree"), judged("agree"), judged("not_lost", "f2"), judged("does_not_matter", "f3")]

    found = precision("all", [*said, judged("agree", "f4"), judged("wrong_fact", "f4")])

    assert (found.right, found.worth, found.of, found.split) == (2, 1, 3, 1)
    assert (found.share, found.worth_share) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    low, high = found.interval
    assert low < found.share < high


def test_what_was_kept_is_right_when_it_is_not_lost():
    assert precision("kept", [judged("not_lost", outcome="kept")]).right == 1
    assert precision("lost", [judged("not_lost", outcome="altered")]).right == 0


def test_nothing_judged_has_no_share():
    nothing = precision("none", [])

    assert (nothing.share, nothing.interval, nothing.worth_share) == (None, None, None)


def test_groups_stand_by_their_number_of_judgements():
    said = [judged("agree", f"f{n}", detector="words") for n in range(3)] + [judged("agree", "g", detector="values")]

    groups = precision_by(lambda each: each.detector, said)

    assert [(each.name, each.of) for each in groups] == [("words", 3), ("values", 1)]


@pytest.mark.parametrize(
    ("number", "name"), [(1, "1–5"), (5, "1–5"), (6, "6–10"), (25, "11–25"), (26, "26 and further")]
)
def test_ranks_are_grouped(number, name):
    assert rank_of(judged("agree", number=number)) == name


def test_week_begins_on_monday():
    assert week_of(AT) == date(2026, 11, 16)


def test_missed_losses_count_against_the_listed_ones():
    said = [judged("agree"), judged("not_lost", "f2"), judged("agree", "f3", outcome="kept")]

    found = found_losses(said, missed=3)

    assert (found.listed, found.missed, found.share) == (1, 3, 0.25)
    assert found_losses([], 0).share is None
