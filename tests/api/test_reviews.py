import pytest

from conversations.review.places import claim_next
from conversations.review.selection import Place
from conversations.review.services import add_mark, open_review, save_review, save_verdict, submit
from tests.api.reading import Reader
from tests.review.rows import create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def ann(acme):
    return create_reviewer(acme, "ann")


def judge(queue, user, overall="faithful"):
    item = claim_next(queue, user)
    review = open_review(compaction=item.compaction, user=user, item=item)
    save_review(review, None, overall=overall, criteria={"completeness": 3}, comment="Well")
    return submit(review, None)


def test_queues_tell_how_far_they_are(reader, acme, globex, ann):
    create_queue(globex, items=1)
    queue = create_queue(acme, items=3, instructions="Look.")
    create_queue(acme, name="Closed", closed_at="2026-11-01T00:00Z")
    judge(queue, ann)

    assert [each["name"] for each in reader.walk("/queues?limit=1")] == ["Closed", "Harmful first"]
    [found] = reader.walk("/queues?open=true")
    assert found == reader.json(f"/queues/{queue.pk}")
    assert (found["instructions"], found["items"]) == (
        "Look.", {"waiting": 2, "done": 1, "disagreed": 0, "settled": 0},
    )  # fmt: skip


def test_items_of_a_queue(reader, acme, globex, ann):
    queue = create_queue(acme, items=3)
    done = judge(queue, ann).item

    assert len(reader.walk(f"/queues/{queue.pk}/items?limit=2")) == 3
    assert [each["compaction"] for each in reader.walk(f"/queues/{queue.pk}/items?state=done")] == [done.compaction_id]
    assert reader.get(f"/queues/{create_queue(globex).pk}/items").status_code == 404


def test_reviews_come_with_verdicts_and_marks(reader, acme, ann):
    queue = create_queue(acme, items=1)
    compaction = queue.items.get().compaction
    create_finding(compaction)
    create_audit(compaction, version="9")
    review = open_review(compaction=compaction, user=ann, item=claim_next(queue, ann))
    save_verdict(review, None, fact_id="fact-1", answer="reword", reworded="In my words")
    add_mark(review, None, what="invented", place=Place(0, 0, 4, "What"))
    save_review(review, None, overall="minor_loss")
    assert reader.walk("/reviews") == []
    submit(review, None)

    [found] = reader.walk(f"/reviews?queue={queue.pk}&compaction={compaction.pk}&overall=minor_loss&settles=false")

    assert (found["reviewer"], found["queue"], found["overall"]) == (ann.pk, queue.pk, "minor_loss")
    [verdict], [mark] = found["verdicts"], found["marks"]
    assert (verdict["answer"], verdict["reworded"], verdict["outcome"], verdict["auditor_version"]) == (
        "reword", "In my words", "forgotten", "9",
    )  # fmt: skip
    assert (mark["what"], mark["message"], mark["quote"]) == ("invented", None, "What")


def test_review_outside_of_queues_has_none(reader, acme, ann):
    compaction = create_queue(acme, items=1).items.get().compaction
    review = open_review(compaction=compaction, user=ann)
    save_review(review, None, overall="faithful")
    submit(review, None)

    [found] = reader.walk("/reviews")

    assert (found["queue"], found["item"]) == (None, None)


def test_blind_queue_tells_nothing_until_everybody_has_judged(reader, acme, ann):
    queue = create_queue(acme, items=1, reviewers_per_item=2, blind=True)
    judge(queue, ann)
    assert reader.walk("/reviews") == []

    judge(queue, create_reviewer(acme, "ben"))

    assert len(reader.walk("/reviews")) == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_reviews_take_as_many_queries_for_any_number(reader, acme, ann, rows, django_assert_num_queries):
    queue = create_queue(acme, items=rows)
    for _ in range(rows):
        judge(queue, ann)
    reader.json("/reviews")

    with django_assert_num_queries(4):
        assert len(reader.json("/reviews")["results"]) == rows


def test_other_workspaces_reviews_do_not_exist(reader, globex):
    judge(create_queue(globex, items=1), create_reviewer(globex, "gil"))

    assert reader.walk("/reviews") == []
