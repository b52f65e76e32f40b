"""The verdict bar: what it shows, what it saves, what it hides, and that nothing typed is lost."""

import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.models import Mark, QueueItem, Reservation, Review, Verdict
from conversations.review.marking import mark_words
from conversations.review.places import claim_next
from conversations.review.queries import reviews_on
from conversations.review.services import open_review, save_verdict
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_addition, create_audit, create_finding

PART = {"HX-Request": "true"}
SUMMARY = "# Goal\n\nMigrate **billing**; the port is 8443.\n"


@pytest.fixture
def conversation(acme):
    return create_conversation(acme, title="Migrate billing")


@pytest.fixture
def dropped(conversation):
    return [create_message(conversation, f"Never write to *ledger_v{n}*.\nAsk first.") for n in range(3)]


@pytest.fixture
def compaction(conversation, dropped):
    row = create_compaction(conversation, SUMMARY, dropped=dropped)
    for number, outcome in enumerate(["forgotten", "altered", "kept"], 1):
        create_finding(row, number, said=dropped[3 - number], near="the port is 8443", outcome=outcome,
                       first=dropped[3 - number].position, reason=f"Reason {outcome}.")  # fmt: skip
    create_audit(row)
    return row


def page(member, compaction, **params):
    response = member.get(compaction.get_absolute_url(), params)
    assert response.status_code == 200
    return response


def post(member, compaction, action, query="review=1", headers=PART, **data):
    url = reverse(f"review_{action}", args=["acme", compaction.pk])
    return member.post(f"{url}?{query}", data, headers=headers)


def member(workspace, name):
    client = Client()
    client.force_login(create_reviewer(workspace, name))
    return client


def text_of(response):
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


# --- who sees it


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


# --- verdicts


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


def whole(**changes):
    return {"revision": 0, "overall": "minor_loss", "comment": "Two rules", "criterion.completeness": "3", **changes}


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


# --- marks


@pytest.mark.parametrize(
    ("data", "quote"),
    [
        ({"what": "missed", "words": "write to ledger_v1. Ask"}, "write to *ledger_v1*.\nAsk"),
        ({"what": "invented", "words": "Migrate billing"}, "Migrate **billing"),
    ],
)
def test_words_are_marked_where_they_stand(bob, compaction, dropped, data, quote):
    response = post(bob, compaction, "mark", kind="requirement", text="Ask first", **data)

    mark = Mark.objects.get()
    text = SUMMARY if data["what"] == "invented" else "Never write to *ledger_v1*.\nAsk first."
    assert mark.quote == quote == text[mark.start : mark.end]
    assert mark.message == (None if data["what"] == "invented" else dropped[1])
    assert "1 marked" in text_of(response)

    post(bob, compaction, "unmark", mark=mark.pk)
    assert not Mark.objects.exists()


def test_the_message_that_words_were_selected_in_counts(bob, compaction, dropped):
    post(bob, compaction, "mark", what="missed", words="Ask first", message=dropped[2].pk)

    assert Mark.objects.get().message == dropped[2]


@pytest.mark.parametrize(
    "data",
    [
        {"what": "missed", "words": "Nobody said this"},
        {"what": "invented", "words": "Nobody wrote this"},
        {"what": "missed", "words": ""},
        {"what": "missed", "words": "x" * 2001},
        {"what": "other", "words": "Ask first"},
        {"what": "missed", "words": "Ask first", "message": "999999"},
    ],
)
def test_what_cannot_be_marked_says_so_and_is_kept(bob, compaction, data):
    response = post(bob, compaction, "mark", **data)

    assert response.status_code == 422
    assert data["words"] in response.content.decode()
    assert not Mark.objects.exists()


def test_a_message_that_stayed_cannot_miss_anything(bob, compaction, conversation):
    kept = create_message(conversation, "Ask first, again.")

    assert post(bob, compaction, "mark", what="missed", words="Ask first", message=kept.pk).status_code == 422


def test_nobody_removes_anothers_mark(bob, alice, compaction):
    post(bob, compaction, "mark", what="missed", words="Ask first")

    post(alice, compaction, "unmark", mark=Mark.objects.get().pk)

    assert Mark.objects.exists()


# --- in a queue


@pytest.fixture
def queue(acme):
    return create_queue(acme, instructions="Look for **rules**.", reviewers_per_item=1)


@pytest.fixture
def item(queue, compaction):
    return create_item(queue, compaction, priority=5)


def at(item):
    return {"queue": item.queue_id, "item": item.pk}


def query_of(item, **more):
    return urlencode(at(item) | more)


def test_save_and_next_leads_to_the_next_item_and_then_to_the_queue(bob, queue, item):
    second = create_item(queue, create_compaction(create_conversation(queue.workspace)))

    response = post(bob, item.compaction, "save", query_of(item), **whole(then="submit"))
    assert response.headers["HX-Redirect"] == f"{second.compaction.get_absolute_url()}?{query_of(second)}"
    response = post(bob, second.compaction, "save", query_of(second), headers={}, **whole(then="submit"))

    assert response.headers["Location"] == queue.get_absolute_url()
    assert set(Review.objects.values_list("item", flat=True)) == {item.pk, second.pk}


def test_the_next_item_is_reserved_ahead_and_given_then(bob, queue, item):
    second = create_item(queue, create_compaction(create_conversation(queue.workspace)))
    claim_next(queue, bob.user)

    url = post(bob, item.compaction, "ahead", query_of(item)).json()["url"]

    assert url == f"{second.compaction.get_absolute_url()}?{query_of(second)}"
    assert Reservation.objects.filter(user=bob.user).count() == 2
    response = post(bob, item.compaction, "save", query_of(item), **whole(then="submit"))
    assert response.headers["HX-Redirect"] == url


def test_nothing_is_reserved_ahead_where_nothing_is_left(bob, item, compaction):
    assert post(bob, item.compaction, "ahead", query_of(item)).json() == {"url": ""}
    assert post(bob, compaction, "ahead").json() == {"url": ""}


def test_skipping_gives_the_place_back(bob, queue, item):
    second = create_item(queue, create_compaction(create_conversation(queue.workspace)))
    claim_next(queue, bob.user)

    response = post(bob, item.compaction, "skip", query_of(item))

    assert response.headers["HX-Redirect"].endswith(query_of(second))
    assert list(Reservation.objects.values_list("item", flat=True)) == [second.pk]


def test_a_reservation_that_expired_is_taken_again_where_it_is_free(bob, queue, item):
    claim_next(queue, bob.user)
    Reservation.objects.update(expires_at=timezone.now())

    assert post(bob, item.compaction, "save", query_of(item), **whole()).status_code == 200
    assert Reservation.objects.get().expires_at > timezone.now()


def test_a_place_that_others_took_keeps_the_draft_and_says_what_to_do(bob, alice, queue, item):
    claim_next(queue, bob.user)
    Reservation.objects.update(expires_at=timezone.now())
    claim_next(queue, alice.user)

    assert post(bob, item.compaction, "save", query_of(item), **whole()).status_code == 200
    revision = Review.objects.get().revision
    response = post(bob, item.compaction, "save", query_of(item), **whole(revision=revision, then="submit"))

    assert response.status_code == 409
    assert "Your reservation expired" in text_of(response)
    assert "skip to the next item" in text_of(response)
    assert ">Two rules</textarea>" in response.content.decode()
    assert Review.objects.get().comment == "Two rules"


def test_an_item_of_another_compaction_or_queue_is_none(bob, queue, item):
    other = create_compaction(create_conversation(queue.workspace))

    assert post(bob, other, "save", query_of(item), **whole()).status_code == 404
    assert post(bob, item.compaction, "save", f"queue=99&item={item.pk}", **whole()).status_code == 404
    assert "queue=99" not in text_of(page(bob, item.compaction, queue=99, item=item.pk))


def test_instructions_and_the_queues_own_rubric_are_shown(bob, queue, item):
    queue.rubric = [{"key": "tone", "name": "Tone", "help": "", "scale": [{"value": 1, "label": "sober"}]}]
    queue.save()

    html = page(bob, item.compaction, **at(item)).content.decode()

    assert "Look for <strong>rules</strong>." in html
    assert 'name="criterion.tone"' in html
    assert "criterion.completeness" not in html


# --- blind


@pytest.fixture
def blind(queue, item):
    queue.blind = True
    queue.save()
    return item


SECRETS = ("forgotten", "altered", "Reason", "known after it", "64–78", "signal", "of what mattered", "superseded")


@pytest.mark.parametrize("headers", [{}, PART])
@pytest.mark.parametrize("fact", ["", 3])
def test_blind_reviewers_are_sent_nothing_of_what_was_found(bob, blind, headers, fact):
    create_addition(blind.compaction, "the port is 8443")

    response = bob.get(blind.compaction.get_absolute_url(), at(blind) | {"fact": fact}, headers=headers)

    html = response.content.decode()
    assert [word for word in SECRETS if word in html] == []
    assert 'class="added"' not in html
    assert "<mark" not in re.sub('<mark class="near chosen"[^>]*>', "", html)
    assert [f"Fact number {n}." in html for n in (1, 2, 3)] == [True] * 3


def test_blind_facts_stand_in_the_order_they_were_said(bob, blind):
    html = page(bob, blind.compaction, **at(blind)).content.decode()

    # ranks 1, 2 and 3 were said last, second and first
    assert re.findall(r"Fact number (\d)", html) == ["3", "2", "1"]
    assert re.findall(r'id="fact-(\d)"', html) == ["1", "2", "3"]


def test_a_finding_is_told_once_it_is_judged(bob, blind):
    number_of_the_worst = 3

    response = post(
        bob, blind.compaction, "verdict", query_of(blind, fact=number_of_the_worst), fact="fact-1", answer="agree"
    )
    assert "data-reveals" in response.content.decode()
    html = page(bob, blind.compaction, **at(blind), fact=number_of_the_worst).content.decode()

    assert "Reason forgotten." in html
    assert "Reason altered." not in html
    assert "altered" not in html
    response = post(bob, blind.compaction, "undo", query_of(blind))
    assert f'data-undone="{number_of_the_worst}"' in response.content.decode()
    assert "Reason" not in page(bob, blind.compaction, **at(blind), fact=3).content.decode()


def test_other_addresses_do_not_lift_the_veil(bob, queue, blind):
    claim_next(queue, bob.user)

    assert "forgotten" not in page(bob, blind.compaction).content.decode()
    finding = bob.get(reverse("finding", args=["acme", blind.compaction.pk, 1]))
    assert finding.url.startswith(blind.compaction.get_absolute_url())
    answer = bob.get(reverse("api_findings", args=[blind.compaction.pk]), {"workspace": "acme"})
    assert answer.status_code == 403
    assert "forgotten" not in answer.content.decode()


def test_the_veil_lifts_when_the_review_is_handed_in(bob, alice, blind):
    post(bob, blind.compaction, "save", query_of(blind), **whole(then="submit"))

    assert "Reason forgotten." in page(bob, blind.compaction, **at(blind), fact=1).content.decode()
    assert "Reason forgotten." in page(alice, blind.compaction, fact=1).content.decode()


# --- the others' reviews


def handed_in(member, compaction, item=None, **fields):
    fields = {"overall": "harmful_loss", "submitted_at": timezone.now(), **fields}
    return Review.objects.create(
        workspace=compaction.workspace, compaction=compaction, item=item, reviewer=member.user, **fields
    )


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
