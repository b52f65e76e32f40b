"""Who sees the verdict bar, and what others said."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import QueueItem, Review
from conversations.review.marking import mark_words
from conversations.review.queries import reviews_on
from conversations.review.services import open_review, save_verdict
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item
from tests.web.audited import create_audit, create_finding
from tests.web.reviewing.bars import SUMMARY, at, handed_in, member, page, text_of


def test_bar_waits_in_one_line_until_it_is_wanted(bob, compaction):
    response = page(bob, compaction)

    assert 'data-key="r"' in response.content.decode()
    assert 'name="answer"' not in response.content.decode()
    assert 'data-key="c" href' in response.content.decode()


def test_bar_offers_answers_to_the_chosen_fact_with_their_keys(bob, compaction):
    html = page(bob, compaction, review=1, fact=2).content.decode()

    for answer, key in {"agree": "1", "not_lost": "2", "does_not_matter": "3", "wrong_fact": "0"}.items():
        assert re.search(rf'<button name="answer" value="{answer}" data-key="{key}"', html)
    assert "0 of 3 judged" in html
    assert html.count('data-key="c"') == 1


def test_viewers_have_no_bar(victor, compaction):
    html = page(victor, compaction, review=1).content.decode()

    assert "review-bar" not in html
    assert "review.js" not in html


def test_others_reviews_show_once_the_own_one_is_handed_in(bob, victor, alice, compaction):
    handed_in(alice, compaction)
    carol = member(compaction.workspace, "carol")

    assert "Alice" not in text_of(page(carol, compaction)).replace("Alice ▾", "")
    assert "1 review of others shows once you have handed in yours." in text_of(page(carol, compaction))
    assert "harmful loss Alice" in text_of(page(victor, compaction))
    handed_in(bob, compaction, overall="faithful")
    assert "harmful loss Alice" in text_of(page(bob, compaction))


@pytest.mark.parametrize(("state", "shown"), [("waiting", False), ("done", True)])
def test_admins_see_reviews_of_blind_queues_when_they_are_finished(alice, bob, blind, state, shown):
    handed_in(bob, blind.compaction, blind)
    QueueItem.objects.update(state=state)

    assert ("harmful loss Bob" in text_of(page(alice, blind.compaction))) == shown


def test_the_settled_record_is_shown_to_everybody(bob, alice, item):
    handed_in(alice, item.compaction, item, settles=True, overall="faithful")

    assert "faithful Alice, settled" in text_of(page(bob, item.compaction))


@pytest.mark.parametrize("is_blind", [False, True])
def test_page_asks_as_much_for_any_number_of_facts_verdicts_and_marks(acme, bob, alice, queue, is_blind):
    asked = [queries_of_page(acme, bob, alice, queue, rows, is_blind=is_blind) for rows in (1, 3)]

    assert asked[0] == asked[1] <= 12


def queries_of_page(acme, bob, alice, queue, rows, *, is_blind):
    conversation = create_conversation(acme)
    dropped = [create_message(conversation, f"Rule {n}") for n in range(rows)]
    compaction = create_compaction(conversation, SUMMARY, dropped=dropped, kept_count=1)
    for number in range(1, rows + 1):
        create_finding(compaction, number, said=dropped[number - 1])
    create_audit(compaction)
    queue.blind = is_blind
    queue.save()
    item = create_item(queue, compaction)
    handed_in(alice, compaction)
    review = open_review(compaction=compaction, user=bob.user, item=item)
    for number in range(1, rows + 1):
        save_verdict(review, None, fact_id=f"fact-{number}", answer="agree")
        mark_words(review, what="missed", words=f"Rule {number - 1}")

    with CaptureQueriesContext(connection) as asked:
        response = page(bob, compaction, **at(item), fact=1)

    assert f"{rows} of {rows} judged" in text_of(response)
    return len(asked)


def test_reviews_are_told_by_compaction(acme, bob, alice, blind, conversation, django_assert_num_queries):
    other = create_compaction(conversation)
    handed_in(alice, other, overall="faithful")
    record = handed_in(bob, blind.compaction, blind, settles=True)
    handed_in(alice, blind.compaction, blind)
    handed_in(bob, other, submitted_at=None)

    with django_assert_num_queries(1):
        waiting = reviews_on(acme, [blind.compaction_id, other.pk])
    QueueItem.objects.update(state="settled")

    assert {key: [row.overall for row in rows] for key, rows in waiting.items()} == {other.pk: ["faithful"]}
    assert reviews_on(acme, [blind.compaction_id])[blind.compaction_id][0] == record
    assert reviews_on(acme, []) == {}


def test_labels_made_elsewhere_say_where_they_come_from(bob, victor, compaction):
    Review.objects.create(
        workspace=compaction.workspace, compaction=compaction, made_by="Study <A>", overall="faithful",
        submitted_at=timezone.now(),
    )  # fmt: skip

    assert "faithful Study &lt;A&gt; made elsewhere" in text_of(page(victor, compaction))
    handed_in(bob, compaction)
    assert "a former member" not in text_of(page(bob, compaction))


def test_nobody_at_work_is_told_that_an_item_is_for_calibration(bob, alice, item):
    item.calibration = True
    item.save()

    for who in (bob, alice):
        assert "calibration" not in page(who, item.compaction, **at(item)).content.decode().lower()
