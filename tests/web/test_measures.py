import pytest

from tests.review.rows import create_queue, create_reviewer
from tests.review.test_measures import hand_in
from tests.review.test_report_card import judge, review

AGREEMENT, CARD = "/w/acme/review/agreement/", "/w/acme/review/auditor/"


def test_agreement_page_says_what_is_missing(victor):
    assert "No compaction has been judged by two people yet" in victor.get(AGREEMENT).content.decode()


@pytest.mark.parametrize("items", [1, 3])
def test_agreement_page_asks_as_much_for_any_number_of_reviews(acme, victor, items, django_assert_num_queries):
    queue = create_queue(acme, items=items)
    people = [create_reviewer(acme, name) for name in ("ada", "ben")]
    for item in queue.items.all():
        for person in people:
            hand_in(item, person)
    victor.get(AGREEMENT)

    with django_assert_num_queries(8):
        response = victor.get(AGREEMENT)

    assert "Ada and Ben" in response.content.decode()
    assert response.context["agreement"].reviews == 2 * items


def test_agreement_page_shows_one_queue(acme, victor, charlie):
    queue = create_queue(acme, items=1)
    hand_in(queue.items.get(), create_reviewer(acme, "ada"))

    assert victor.get(AGREEMENT, {"queue": queue.pk}).context["agreement"].reviews == 1
    assert victor.get(AGREEMENT, {"queue": queue.pk + 1}).status_code == 404
    assert charlie.get("/w/globex/review/agreement/", {"queue": queue.pk}).status_code == 404


def test_report_card_says_what_is_missing(victor):
    assert "Nobody has judged a finding yet" in victor.get(CARD).content.decode()
    assert "in this period" in victor.get(CARD, {"since": "30d"}).content.decode()


@pytest.mark.parametrize("verdicts", [1, 3])
def test_report_card_asks_as_much_for_any_number_of_verdicts(acme, victor, verdicts, django_assert_num_queries):
    mine = review(acme, "ada")
    for number in range(verdicts):
        judge(mine, "agree", f"f{number}", detector="exact_words")
    victor.get(CARD)

    with django_assert_num_queries(6):
        html = victor.get(CARD).content.decode()

    assert "exact words" in html
    assert f"{verdicts} of {verdicts}" in html


def test_report_card_counts_only_this_workspace(acme, charlie):
    judge(review(acme, "ada"), "agree")

    assert charlie.get("/w/globex/review/auditor/").context["card"].judgements == 0
