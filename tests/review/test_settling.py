import pytest

from conversations.errors import BadInput, Conflict
from conversations.models import Activity, Review
from conversations.review.places import claim_next
from conversations.review.queries import reviews_of
from conversations.review.selection import Place
from conversations.review.services import add_mark, open_review, reopen, save_review, save_verdict, submit
from conversations.review.settling import may_settle, settle
from conversations.vocabulary import MemberRole
from tests.review.rows import create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding

RECORD = {"overall": "minor_loss", "criteria": {"completeness": 2}, "comment": "Both are right.", "answers": {}}


@pytest.fixture
def people(acme):
    return [create_reviewer(acme, name) for name in ("ann", "ben", "cleo")]


@pytest.fixture
def item(acme, people):
    """Ann says harmful loss and agrees with the finding, Ben neither."""
    queue = create_queue(acme, items=1, reviewers_per_item=2)
    compaction = queue.items.get().compaction
    create_finding(compaction)
    create_audit(compaction)
    for user, overall, answer in zip(people, ("harmful_loss", "faithful"), ("reword", "not_lost"), strict=False):
        item = claim_next(queue, user)
        review = open_review(compaction=compaction, user=user, item=item)
        save_verdict(review, None, fact_id="fact-1", answer=answer, reworded="In my words")
        add_mark(review, None, what="invented", place=Place(0, 0, 4, "What"), text=user.name)
        save_review(review, None, overall=overall)
        submit(review, None)
    item.refresh_from_db()
    return item


def test_settled_verdict_is_the_record(item, people):
    record = settle(item, people[2], **{**RECORD, "answers": {"fact-1": "reword"}})

    item.refresh_from_db()
    assert (item.state, record.settles, record.reviewer) == ("settled", True, people[2])
    assert reviews_of(item)[-1] == record
    assert [(each.answer, each.reworded, each.text) for each in record.verdicts.all()] == [
        ("reword", "In my words", "Fact number 1."),
    ]  # fmt: skip
    assert [mark.quote for mark in record.marks.all()] == ["What"]
    assert Review.objects.filter(item=item, settles=False).count() == 2
    assert Activity.objects.latest("id").action == "item.settled"


def test_record_is_written_anew_only_by_who_saw_it(item, people):
    settle(item, people[2], **RECORD)

    with pytest.raises(Conflict) as caught:
        settle(item, people[0], **RECORD)
    again = settle(item, people[0], seen=caught.value.newer.revision, **{**RECORD, "overall": "faithful"})

    assert Review.objects.get(item=item, settles=True) == again
    assert (again.overall, again.reviewer, again.revision) == ("faithful", people[0], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"overall": ""},
        {"overall": "so so"},
        {"criteria": {"charm": 1}},
        {"answers": {"fact-7": "agree"}},
        {"answers": {"fact-1": "maybe"}},
    ],
)
def test_record_that_says_nothing_is_refused(item, people, wrong):
    with pytest.raises(BadInput):
        settle(item, people[2], **{**RECORD, **wrong})

    item.refresh_from_db()
    assert item.state == "disagreed"
    assert not Review.objects.filter(settles=True).exists()


def test_only_items_on_which_people_differ_are_settled(acme, people):
    with pytest.raises(BadInput, match="do not differ"):
        settle(create_queue(acme, items=1).items.get(), people[0], **RECORD)


def test_review_that_a_record_rests_on_is_not_taken_back(item, people):
    settle(item, people[2], **RECORD)

    with pytest.raises(Exception, match="settled"):
        reopen(Review.objects.get(item=item, reviewer=people[0]))


@pytest.mark.parametrize(
    ("role", "who", "may"),
    [
        (MemberRole.OWNER, 0, True),
        (MemberRole.ADMIN, 0, True),
        (MemberRole.REVIEWER, 0, False),
        (MemberRole.REVIEWER, 2, True),
        (MemberRole.VIEWER, 2, False),
    ],
)
def test_reviewers_settle_what_they_did_not_review(item, people, role, who, may):
    assert may_settle(role, people[who], reviews_of(item)) is may
