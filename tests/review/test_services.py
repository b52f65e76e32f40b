import pytest

from conversations.errors import BadInput, Conflict, Refused
from conversations.models import Activity, Reservation
from conversations.review.places import claim_next, release
from conversations.review.selection import Place
from conversations.review.services import (
    add_mark,
    open_review,
    remove_mark,
    reopen,
    save_review,
    save_verdict,
    submit,
)
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_addition, create_audit, create_finding


@pytest.fixture
def ann(acme):
    return create_reviewer(acme, "ann")


@pytest.fixture
def ben(acme):
    return create_reviewer(acme, "ben")


@pytest.fixture
def compaction(acme):
    conversation = create_conversation(acme)
    dropped = create_message(conversation, "Never write to ledger_v1: auditors have frozen it.")
    made = create_compaction(conversation, "The rollout happens next week.", dropped=[dropped])
    create_finding(made, text="Never write to ledger_v1", rank=0.9)
    create_audit(made, version="7")
    return made


@pytest.fixture
def draft(compaction, ann):
    return open_review(compaction=compaction, user=ann)


def handed_in(item, user, overall="faithful", **said):
    review = open_review(compaction=item.compaction, user=user, item=item)
    save_review(review, None, overall=overall, **said)
    return submit(review, None)


def test_opening_again_goes_on_with_the_draft(draft, compaction, ann, ben):
    assert open_review(compaction=compaction, user=ann) == draft
    assert open_review(compaction=compaction, user=ben) != draft


def test_item_must_be_about_the_compaction(acme, compaction, ann):
    with pytest.raises(BadInput):
        open_review(compaction=compaction, user=ann, item=create_item(create_queue(acme)))


def test_saving_changes_what_is_given_and_leaves_the_rest(draft):
    save_review(draft, 0, overall="minor_loss", criteria={"completeness": 2}, comment="The rule is gone.")

    save_review(draft, 1, comment="The rule is gone!")

    draft.refresh_from_db()
    assert (draft.overall, draft.criteria, draft.comment) == (
        "minor_loss", {"completeness": 2}, "The rule is gone!",
    )  # fmt: skip
    assert draft.revision == 2


def test_saving_over_what_another_tab_saved_is_a_conflict_that_says_what(draft):
    save_review(draft, 0, comment="First tab")

    with pytest.raises(Conflict) as caught:
        save_review(draft, 0, comment="Second tab")

    assert (caught.value.newer.comment, caught.value.newer.revision) == ("First tab", 1)


@pytest.mark.parametrize(
    "said", [{"overall": "splendid"}, {"criteria": {"charm": 1}}, {"criteria": {"completeness": 9}}]
)
def test_what_the_rubric_does_not_know_is_refused(draft, said):
    with pytest.raises(BadInput):
        save_review(draft, 0, **said)

    draft.refresh_from_db()
    assert draft.revision == 0


def test_verdict_keeps_the_finding_as_it_was_judged(draft, compaction):
    save_verdict(draft, 0, fact_id="fact-1", answer="agree")
    compaction.findings.update(text="Other words", outcome="kept", number=4)
    compaction.findings.all().delete()

    verdict = save_verdict(draft, 1, fact_id="fact-1", answer="does_not_matter")

    assert (verdict.answer, verdict.text, verdict.outcome, verdict.number, verdict.auditor_version) == (
        "does_not_matter", "Never write to ledger_v1", "forgotten", 1, "7",
    )  # fmt: skip


def test_verdict_on_an_added_statement_says_so(draft, compaction):
    create_addition(compaction, "next week")

    verdict = save_verdict(draft, 0, fact_id="added-1", answer="not_lost")

    assert (verdict.text, verdict.outcome, verdict.detector) == ("next week", "added", "added")


def test_verdict_is_taken_back(draft):
    save_verdict(draft, 0, fact_id="fact-1", answer="agree")

    assert save_verdict(draft, 1, fact_id="fact-1", answer="") is None
    assert not draft.verdicts.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"fact_id": "fact-1", "answer": "perhaps"},
        {"fact_id": "fact-1", "answer": "reword", "reworded": " "},
        {"fact_id": "unknown", "answer": "agree"},
    ],
)
def test_verdict_that_says_nothing_is_refused(draft, said):
    with pytest.raises(BadInput):
        save_verdict(draft, 0, **said)

    draft.refresh_from_db()
    assert draft.revision == 0


def test_marks_are_added_and_removed(draft, compaction):
    message, place = compaction.dropped_messages.get(), Place(0, 26, 46, "auditors have frozen")

    mark = add_mark(draft, 0, what="missed", place=place, message=message, text=" Frozen ", kind="C1")
    remove_mark(add_mark(draft, 1, what="invented", place=Place(0, 20, 29, "next week")), 2)

    assert list(draft.marks.all()) == [mark]
    assert (mark.message, mark.quote, mark.start, mark.end, mark.text) == (message, place.quote, 26, 46, "Frozen")


@pytest.mark.parametrize("what", ["missed", "odd"])
def test_mark_without_its_message_is_refused(draft, what):
    with pytest.raises(BadInput):
        add_mark(draft, 0, what=what, place=Place(0, 20, 29, "next week"))


def test_mark_in_a_message_that_was_not_dropped_is_refused(draft, compaction):
    message = create_message(compaction.conversation, "Later")

    with pytest.raises(BadInput):
        add_mark(draft, 0, what="missed", place=Place(0, 0, 5, "Later"), message=message)


def test_handing_in_needs_an_overall_verdict(draft):
    with pytest.raises(BadInput):
        submit(draft, 0)

    draft.refresh_from_db()
    assert draft.submitted_at is None


def test_what_is_handed_in_is_not_changed_but_can_be_taken_back(draft):
    save_review(draft, 0, overall="faithful")
    submit(draft, 1)

    with pytest.raises(Conflict):
        save_review(draft, 2, comment="One more thing")
    reopen(draft)
    save_review(draft, 3, comment="One more thing")

    assert (draft.submitted_at, draft.comment) == (None, "One more thing")
    assert list(Activity.objects.order_by("id").values_list("action", flat=True)) == [
        "review.submitted", "review.reopened",
    ]  # fmt: skip


def test_handing_in_gives_the_item_its_state(acme, ann, ben):
    queue = create_queue(acme, items=2, reviewers_per_item=2)
    first, second = queue.items.order_by("-priority")

    handed_in(first, ann)
    handed_in(second, ann)
    first.refresh_from_db()
    assert first.state == "waiting"
    handed_in(first, ben)
    handed_in(second, ben, "harmful_loss")

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("done", "disagreed")
    assert not Reservation.objects.exists()


def test_late_review_of_a_taken_item_stays_a_draft_until_there_is_a_place(acme, ann, ben):
    queue = create_queue(acme, items=1)
    item = claim_next(queue, ann)
    late = open_review(compaction=item.compaction, user=ann, item=item)
    save_review(late, 0, overall="faithful", comment="Half a thought")
    Reservation.objects.update(expires_at="2026-01-01T00:00Z")
    claim_next(queue, ben)

    save_review(late, 1, comment="A whole thought")
    with pytest.raises(Refused, match="expired"):
        submit(late, 2)
    release(item, ben)
    submit(late, 2)

    assert (late.comment, bool(late.submitted_at)) == ("A whole thought", True)


def test_saving_takes_an_expired_place_again(acme, ann, ben):
    queue = create_queue(acme, items=1)
    item = claim_next(queue, ann)
    Reservation.objects.update(expires_at="2026-01-01T00:00Z")

    save_review(open_review(compaction=item.compaction, user=ann, item=item), 0, comment="Still here")

    assert claim_next(queue, ben) is None


def test_taking_a_review_back_keeps_the_place(acme, ann, ben):
    queue = create_queue(acme, items=1)
    [item] = queue.items.all()

    reopen(handed_in(item, ann))

    item.refresh_from_db()
    assert item.state == "waiting"
    assert claim_next(queue, ben) is None
    assert claim_next(queue, ann) == item
