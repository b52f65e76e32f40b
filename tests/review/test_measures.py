"""Numbers on the pages equal those that a library works out from what was stored."""

import random
from datetime import UTC, datetime

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from conversations.models import Review
from conversations.review.measures import agreement_of
from conversations.vocabulary import Overall
from tests.review.rows import create_queue, create_reviewer

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
SCALE = [*Overall]


def hand_in(item, reviewer, overall="faithful", **fields):
    return Review.objects.create(
        workspace=item.workspace, compaction=item.compaction, item=item, reviewer=reviewer, overall=overall,
        **{"submitted_at": AT, **fields},
    )  # fmt: skip


@pytest.fixture
def judged(acme):
    """Thirty items judged by two or three of three people, at random; one's words by item and name."""
    rolled = random.Random(7)
    queue = create_queue(acme, items=30)
    people = [create_reviewer(acme, name) for name in ("ada", "ben", "cleo")]
    said = {}
    for item in queue.items.all():
        for person in people[: rolled.choice([2, 3])]:
            values = {"overall": rolled.choice(SCALE), "criteria": {"completeness": rolled.choice([1, 2, 3, 4])}}
            said[item.pk, person.name] = hand_in(item, person, **values)
    return queue, said


def matrix(said, value):
    items = sorted({item for item, _ in said})
    return np.array(
        [
            [value(said[item, name]) if (item, name) in said else np.nan for item in items]
            for name in ("Ada", "Ben", "Cleo")
        ]
    )


def test_agreement_is_what_the_libraries_say(judged):
    queue, said = judged

    found = agreement_of(queue.workspace, queue)

    overall, completeness, *_ = found.criteria
    rows = matrix(said, lambda review: SCALE.index(review.overall))
    assert overall.alpha.value == pytest.approx(krippendorff.alpha(rows, level_of_measurement="ordinal"))
    rows = matrix(said, lambda review: review.criteria["completeness"])
    assert completeness.alpha.value == pytest.approx(krippendorff.alpha(rows, level_of_measurement="ordinal"))
    pair = next(each for each in found.pairs if {each.first, each.second} == {"Ada", "Ben"})
    ours = [(said[item, "Ada"].overall, said[item, "Ben"].overall) for item, name in said if name == "Ada"]
    assert pair.kappa.value == pytest.approx(cohen_kappa_score(*zip(*ours, strict=True)))
    assert found.reviews == len(said)


def test_agreement_of_all_queues_holds_each(judged):
    queue, _ = judged
    create_queue(queue.workspace, name="Another", items=1)

    assert agreement_of(queue.workspace).criteria[0] == agreement_of(queue.workspace, queue).criteria[0]


def test_drafts_settled_records_and_reviews_outside_do_not_count(acme):
    queue = create_queue(acme, items=1)
    item = queue.items.get()
    hand_in(item, create_reviewer(acme, "ada"))
    hand_in(item, create_reviewer(acme, "ben"), submitted_at=None)
    hand_in(item, create_reviewer(acme, "cleo"), settles=True)

    found = agreement_of(acme, queue)

    assert (found.reviews, found.weeks, found.pairs) == (1, [], [])


def test_calibration_compares_each_with_the_others(acme):
    queue = create_queue(acme, items=1)
    queue.items.update(calibration=True)
    for name, overall in (("ada", "faithful"), ("ben", "faithful"), ("cleo", "harmful_loss")):
        hand_in(queue.items.get(), create_reviewer(acme, name), overall=overall)

    found = agreement_of(acme, queue).calibration

    assert [(each.name, each.same, each.of) for each in found] == [("Ada", 1, 1), ("Ben", 1, 1), ("Cleo", 0, 1)]


def test_criteria_with_different_scales_are_not_thrown_together(acme):
    create_queue(acme, name="Four")
    two = [{"value": 1, "label": "no"}, {"value": 2, "label": "yes"}]
    create_queue(acme, name="Two", rubric=[{"key": "completeness", "name": "Completeness", "help": "", "scale": two}])

    names = [row.name for row in agreement_of(acme).criteria]

    assert "Completeness" not in names
    assert "Faithfulness" in names


@pytest.mark.parametrize("items", [1, 3])
def test_agreement_asks_as_much_for_any_number_of_reviews(acme, items, django_assert_num_queries):
    queue = create_queue(acme, items=items)
    people = [create_reviewer(acme, name) for name in ("ada", "ben")]
    for item in queue.items.all():
        for person in people:
            hand_in(item, person)

    with django_assert_num_queries(4):
        agreement_of(acme)
