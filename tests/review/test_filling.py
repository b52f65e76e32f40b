import pytest

from conversations.models import Queue, QueueItem
from conversations.review.filling import clear_untouched, fill_queue, offer, preview
from conversations.review.places import claim_next, release
from conversations.review.sampling import Sample
from conversations.review.services import open_review, save_review, save_verdict, submit
from conversations.vocabulary import Sampling
from tests.factories import create_agent, create_compaction, create_conversation
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding


def audited(workspace, agent="coder", version="1", **fields):
    compaction = create_compaction(create_conversation(workspace, agent=create_agent(workspace, agent, version)))
    create_audit(compaction, **fields)
    return compaction


def inside(queue):
    return [item.compaction for item in queue.items.order_by("-priority", "id")]


def test_everything_that_fits_flows_in_once(acme, globex):
    ours, theirs = audited(acme), audited(acme, "support")
    audited(acme, state="unreadable")
    audited(globex)
    create_compaction(create_conversation(acme, agent="coder"))
    queue = create_queue(acme, filters={"agent": "coder"})

    assert (fill_queue(queue), fill_queue(queue)) == (1, 0)
    assert inside(queue) == [ours]
    assert fill_queue(create_queue(acme, name="All")) == 2
    assert theirs.queue_items.count() == 1


def test_agent_that_nobody_has_lets_nothing_in(acme):
    audited(acme)

    assert fill_queue(create_queue(acme, filters={"agent": "unknown"})) == 0


def test_copy_in_a_forked_session_is_left_out(acme):
    original = audited(acme)
    audited(acme)
    copy = create_compaction(create_conversation(acme), copy_of=original)
    create_audit(copy)

    assert fill_queue(create_queue(acme)) == 2


def test_new_audit_flows_into_open_queues_that_it_fits(acme):
    fits, closed, other = (
        create_queue(acme, name="Coder", filters={"agent": "coder"}),
        create_queue(acme, name="Closed", closed_at="2026-01-01T00:00Z"),
        create_queue(acme, name="Support", filters={"agent": "support"}),
    )
    compaction = audited(acme)

    assert (offer(compaction.conversation), offer(compaction.conversation)) == (1, 0)
    assert [inside(queue) for queue in (fits, closed, other)] == [[compaction], [], []]


def test_worst_stands_first_also_when_it_became_worse_later(acme):
    queue = create_queue(acme, sampling="riskiest")
    one, two, _ = audited(acme, risk=0.5), audited(acme, risk=0.9), audited(acme, risk=0)
    fill_queue(queue)
    assert inside(queue) == [two, one]

    one.audit.risk = 2
    one.audit.save()
    offer(one.conversation)

    assert inside(queue) == [one, two]


def test_one_per_version(acme):
    queue = create_queue(acme, sampling="one_per_version")
    audited(acme, risk=0.1)
    worst, other = audited(acme, risk=0.7), audited(acme, version="2")

    assert fill_queue(queue) == 2
    assert set(inside(queue)) == {worst, other}
    assert offer(audited(acme, risk=0.9).conversation) == 0
    assert offer(audited(acme, version="3").conversation) == 1


def test_disagreement_looks_at_people_and_at_the_auditor(acme):
    unsure, sure, contradicted = audited(acme), audited(acme), audited(acme)
    create_finding(unsure, 1, probability=0.2)
    create_finding(sure, 1, probability=0.01)
    create_finding(contradicted, 1, probability=0.01)
    ann = create_reviewer(acme, "ann")
    for compaction, answer in ((sure, "agree"), (contradicted, "not_lost")):
        review = open_review(compaction=compaction, user=ann)
        save_verdict(review, None, fact_id="fact-1", answer=answer)
        save_review(review, None, overall="faithful")
        submit(review, None)

    queue = create_queue(acme, sampling="disagreement")
    fill_queue(queue)

    assert set(inside(queue)) == {unsure, contradicted}


def test_large_queues_are_filled_in_portions(acme, monkeypatch):
    monkeypatch.setattr("conversations.review.filling.PORTION", 2)
    for _ in range(5):
        audited(acme)

    assert fill_queue(create_queue(acme)) == 5


def test_queue_that_is_closed_meanwhile_takes_nothing_more(acme):
    audited(acme)
    queue = create_queue(acme)
    Queue.objects.update(closed_at="2026-01-01T00:00Z")

    assert fill_queue(queue) == 0
    assert not QueueItem.objects.exists()


def test_preview_counts_what_would_flow_in(acme, django_assert_max_num_queries):
    audited(acme, risk=1)
    audited(acme)
    audited(acme, state="unreadable")
    audited(acme, "support")

    with django_assert_max_num_queries(4):
        found = preview(acme, {"agent": "coder"}, Sample(Sampling.RISKIEST))

    assert (found.fits, found.judgeable, found.taken, found.is_whole) == (3, 2, 1, True)


@pytest.mark.parametrize(("looked_at", "is_whole"), [(1, False), (2, True)])
def test_preview_of_many_says_that_it_is_of_the_newest(acme, monkeypatch, looked_at, is_whole):
    monkeypatch.setattr("conversations.review.filling.PREVIEWED", looked_at)
    audited(acme)
    audited(acme)

    found = preview(acme, {}, Sample(Sampling.ALL))

    assert (found.taken, found.is_whole) == (looked_at, is_whole)


def test_what_nobody_has_looked_at_leaves_a_queue_whose_rule_changes(acme):
    queue = create_queue(acme, items=4, reviewers_per_item=2)
    ann, ben = create_reviewer(acme, "ann"), create_reviewer(acme, "ben")
    taken = claim_next(queue, ann)
    begun = claim_next(queue, ben, besides=[taken.pk])
    save_review(open_review(compaction=begun.compaction, user=ben, item=begun), None, comment="Half a thought")
    release(begun, ben)
    kept = create_item(queue, calibration=True)

    assert clear_untouched(queue) == 2
    assert set(queue.items.all()) == {taken, begun, kept}
