from datetime import UTC, datetime, timedelta

from conversations.models import Mark, Review, Verdict
from conversations.review.report_card import report_card
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_reviewer

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def review(acme, name, **fields):
    conversation = create_conversation(acme)
    dropped = create_message(conversation, "The port is 8443. " * 5)
    compaction = create_compaction(conversation, dropped=[dropped])
    reviewer = create_reviewer(acme, name)
    fields = {"compaction": compaction, "reviewer": reviewer, "submitted_at": AT, **fields}
    return Review.objects.create(workspace=acme, **fields)


def judge(review, answer, fact="f1", **fields):
    fields = {
        "text": "x", "kind": "rule", "outcome": "forgotten", "number": 1, "detector": "words", "auditor_version": "3",
        "probability": 0.1, **fields,
    }  # fmt: skip
    return Verdict.objects.create(
        workspace=review.workspace, review=review, compaction=review.compaction, fact_id=fact, answer=answer, **fields
    )


def mark(review, start, end):
    message = review.compaction.conversation.messages.order_by("position").first()
    return Mark.objects.create(
        workspace=review.workspace, review=review, compaction=review.compaction, what="missed", message=message,
        start=start, end=end, quote="x",
    )  # fmt: skip


def test_card_tells_precision_by_every_group(acme):
    mine = review(acme, "ada")
    judge(mine, "agree", "f1", number=1)
    judge(mine, "not_lost", "f2", number=7, detector="values", kind="value")
    judge(mine, "agree", "f3", outcome="added", detector="added", number=0)

    card = report_card(acme)

    assert (card.judgements, card.losses.right, card.losses.of, card.added.right) == (3, 1, 2, 1)
    groups = {heading: [(row.name, row.right, row.of) for row in rows] for heading, rows in card.groups}
    assert groups["By rank"] == [("1–5", 1, 1), ("6–10", 0, 1)]
    assert groups["By detector"] == [("values", 0, 1), ("words", 1, 1)]
    assert groups["By auditor version"] == [("3", 1, 2)]
    assert groups["By week"] == [("2026-11-16", 1, 2)]


def test_a_place_that_several_people_missed_counts_once(acme):
    mine, other = review(acme, "ada"), review(acme, "ben")
    judge(mine, "agree")
    mark(mine, 0, 10)
    mark(mine, 5, 15)
    mark(mine, 20, 30)
    mark(other, 0, 10)  # in another message

    assert (report_card(acme).found.listed, report_card(acme).found.missed) == (1, 3)


def test_card_looks_at_a_period_and_at_what_was_handed_in(acme):
    judge(review(acme, "ada"), "agree")
    judge(review(acme, "ben", submitted_at=None), "agree")
    judge(review(acme, "cleo", submitted_at=AT - timedelta(days=40)), "not_lost")

    assert report_card(acme).judgements == 2
    assert report_card(acme, AT - timedelta(days=30)).losses.share == 1


def test_facts_that_came_with_labels_say_nothing_of_the_auditor(acme):
    judge(review(acme, "ada"), "agree", detector="elsewhere", number=0)

    assert report_card(acme).judgements == 0
