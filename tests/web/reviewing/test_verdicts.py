"""Verdicts on findings and on the whole compaction: each is saved, and nothing typed is lost."""

import re

import pytest

from conversations.models import Review, Verdict
from tests.web.audited import create_addition
from tests.web.reviewing.bars import page, post, text_of, whole


@pytest.mark.parametrize("answer", ["agree", "not_lost", "does_not_matter", "wrong_fact"])
def test_verdict_is_saved_at_once_and_answered_with_the_bar(bob, compaction, answer):
    response = post(bob, compaction, "verdict", "review=1&fact=2", fact="fact-2", answer=answer)

    verdict = Verdict.objects.get()
    assert (verdict.answer, verdict.fact_id, verdict.number, verdict.outcome) == (answer, "fact-2", 2, "altered")
    assert verdict.review.reviewer == bob.user
    assert "1 of 3 judged" in text_of(response)
    assert f'value="{answer}"' in re.search(r'<button[^>]*aria-pressed="true"', response.content.decode())[0]
    assert 'id="said-fact-2"' in response.content.decode()


def test_rewording_keeps_the_persons_words(bob, compaction):
    response = post(
        bob, compaction, "verdict", "review=1&fact=1", fact="fact-1", answer="reword", reworded="In my words"
    )

    assert Verdict.objects.get().reworded == "In my words"
    assert "You: reworded" in text_of(response)
    assert "In my words" in text_of(page(bob, compaction, review=1, fact=2))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"fact": "fact-1", "answer": "reword", "reworded": " "}, "Say the fact in your own words."),
        ({"fact": "fact-1", "answer": "maybe"}, "“maybe” is no verdict."),
        ({"fact": "gone", "answer": "agree"}, "The auditor says nothing of this fact any more."),
    ],
)
def test_verdict_that_cannot_be_saved_says_why(bob, compaction, data, words):
    response = post(bob, compaction, "verdict", **data)

    assert response.status_code == 422
    assert words.replace("“", "&quot;").replace("”", "&quot;") in response.content.decode()
    assert not Verdict.objects.exists()
    assert not Review.objects.exists()


def test_undo_takes_the_last_verdict_back(bob, compaction):
    for number in (1, 3, 2):
        post(bob, compaction, "verdict", fact=f"fact-{number}", answer="agree")

    response = post(bob, compaction, "undo", "review=1&fact=1")
    assert 'data-undone="2"' in response.content.decode()
    assert "2 of 3 judged" in text_of(response)
    for _ in range(3):
        response = post(bob, compaction, "undo")

    assert not Verdict.objects.exists()
    assert response.status_code == 200
    assert re.search(r'data-key="u" disabled', response.content.decode())


def test_verdicts_on_facts_that_are_found_no_more_are_kept_and_told_apart(bob, compaction):
    for number in (1, 2):
        post(bob, compaction, "verdict", fact=f"fact-{number}", answer="agree")
    compaction.findings.filter(number=1).delete()

    words = text_of(page(bob, compaction, review=1))

    assert "1 of 3 judged" in words
    assert "1 of your verdicts is on facts that a later audit does not find" in words


# --- the whole compaction


def test_review_is_saved_as_a_draft_and_handed_in(bob, compaction):
    post(bob, compaction, "save", **whole())

    draft = Review.objects.get()
    assert (draft.overall, draft.comment, draft.criteria) == ("minor_loss", "Two rules", {"completeness": 3})
    assert draft.submitted_at is None
    assert "Your review is a draft" in text_of(page(bob, compaction))

    response = post(bob, compaction, "save", **whole(revision=draft.revision, then="submit"))
    assert response.headers["HX-Redirect"] == f"{compaction.get_absolute_url()}?review=1"
    assert Review.objects.get().submitted_at is not None
    assert "You said: minor loss" in text_of(page(bob, compaction, review=1))


def test_what_a_database_cannot_store_is_left_out(bob, compaction):
    assert post(bob, compaction, "save", **whole(comment="Two\0 rules")).status_code == 200
    assert post(bob, compaction, "verdict", fact="fact\0-1", answer="agree").status_code == 200
    assert post(bob, compaction, "mark", what="missed", words="Ask\0 first", message="9" * 30).status_code == 422

    assert Review.objects.get().comment == "Two rules"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overall": "", "then": "submit"}, "Choose an overall verdict"),
        ({"overall": "bad"}, "is no overall verdict"),
        ({"criterion.completeness": "9"}, "is no value of"),
        ({"criterion.completeness": "x"}, "is no value of"),
        ({"criterion.unknown": "1"}, "is no value of"),
    ],
)
def test_what_cannot_be_saved_stays_in_the_fields(bob, compaction, changes, words):
    response = post(bob, compaction, "save", **whole(**changes))

    assert response.status_code == 422
    html = response.content.decode()
    assert words in html
    assert ">Two rules</textarea>" in html
    assert Review.objects.filter(submitted_at__isnull=False).count() == 0


def test_conflict_keeps_what_was_typed_and_names_the_newer_revision(bob, compaction):
    post(bob, compaction, "save", **whole())
    Review.objects.update(comment="From another tab", revision=5)

    response = post(bob, compaction, "save", **whole(revision=1, comment="Mine"))

    html = response.content.decode()
    assert response.status_code == 409
    assert ">Mine</textarea>" in html
    assert "data-conflict" in html
    assert 'data-revision="5"' in html
    assert Review.objects.get().comment == "From another tab"


def test_without_a_script_what_was_typed_is_kept_on_the_way(bob, compaction):
    post(bob, compaction, "save", **whole())
    Review.objects.update(comment="From another tab", revision=5)

    response = post(bob, compaction, "save", headers={}, **whole(revision=1, comment="Mine"))
    assert response.status_code == 303
    address = response.headers["Location"]
    shown = bob.get(address).content.decode()

    assert ">Mine</textarea>" in shown
    assert "This review was changed in another tab." in shown
    assert ">From another tab</textarea>" in bob.get(address).content.decode()


def test_a_review_that_was_handed_in_can_be_taken_back(bob, compaction):
    post(bob, compaction, "save", **whole(then="submit"))

    response = post(bob, compaction, "reopen")

    assert response.status_code == 200
    assert Review.objects.get().submitted_at is None
    assert "Two rules" in response.content.decode()


# --- statements that the summary added


@pytest.mark.parametrize(
    ("answer", "words"),
    [("agree", "agree"), ("not_lost", "not invented"), ("does_not_matter", "does not matter")],
)
def test_added_statements_are_judged_beside_them(bob, compaction, answer, words):
    added = create_addition(compaction, "the port is 8443")
    assert (
        f'<button class="plain" name="answer" value="{answer}">{words}</button>'
        in page(bob, compaction, review=1).content.decode()
    )

    response = post(bob, compaction, "verdict", fact=added.fact_id, answer=answer)

    verdict = Verdict.objects.get()
    assert (verdict.answer, verdict.outcome, verdict.kind, verdict.number) == (answer, "added", "unseen_value", 0)
    assert f"You: {words}" in text_of(response)
    assert f"You: {words}" in text_of(page(bob, compaction, review=1))
    assert "0 of 3 judged" in text_of(response)
    assert "later audit" not in text_of(response)
    post(bob, compaction, "undo")
    assert not Verdict.objects.exists()


def test_added_statements_are_not_asked_of_those_who_do_not_review(bob, victor, compaction):
    create_addition(compaction, "the port is 8443")

    assert "not invented" not in page(bob, compaction).content.decode()
    assert "not invented" not in page(victor, compaction, review=1).content.decode()
