import json

import pytest

from conversations.models import Review, Verdict
from conversations.review.labels import take_labels
from tests.factories import create_compaction, create_conversation, create_message
from tests.web.audited import create_audit, create_finding


@pytest.fixture
def finding(acme):
    conversation = create_conversation(acme, external_id="c-1", source="codex")
    dropped = create_message(conversation, "Never write to ledger_v1.")
    compaction = create_compaction(conversation, "Ship it.", dropped=[dropped], external_id="k-1")
    create_audit(compaction)
    return create_finding(compaction, 1, said=dropped)


def line(**fields):
    return {"conversation": "c-1", "number": 1, "labeller": "study A", **fields}


def take(acme, *lines):
    return list(take_labels(acme, [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]))


def test_labels_become_a_review_of_their_labeller(acme, finding):
    said = [{"fact": finding.fact_id, "answer": "agree"}, {"text": "The key is kept in vault.", "answer": "agree"}]

    [taken] = take(acme, line(overall="minor_loss", labels=said))

    review = Review.objects.get()
    assert (taken.status, taken.review) == ("accepted", review.pk)
    assert (review.made_by, review.reviewer, review.overall, review.item) == ("study A", None, "minor_loss", None)
    assert sorted(Verdict.objects.values_list("text", "detector")) == sorted(
        [(finding.text, finding.detector), ("The key is kept in vault.", "elsewhere")]
    )


def test_the_same_line_again_changes_nothing(acme, finding):
    first, again = take(acme, line(overall="faithful"), line(overall="faithful"))

    assert (first.status, again.status, first.review) == ("accepted", "duplicate", again.review)
    assert Review.objects.count() == 1


def test_another_line_of_the_same_labeller_replaces_the_first(acme, finding):
    fact = {"fact": finding.fact_id, "answer": "agree"}

    take(acme, line(overall="faithful", labels=[fact]), line(overall="harmful_loss"))

    assert Review.objects.get().overall == "harmful_loss"
    assert Verdict.objects.count() == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (b"{", ""),
        (line(labels=[{"answer": "perhaps", "text": "x"}]), ""),
        (line(unknown=1), ""),
        (line(conversation="nowhere"), "compaction"),
        (line(number=7), "compaction"),
        ({"conversation": "c-1", "labeller": "study A"}, "compaction"),
        (line(labeller=" "), "labeller"),
        (line(labels=[{"answer": "agree"}]), "labels[0]"),
        (line(labels=[{"answer": "reword", "text": "x"}]), "labels[0].reworded"),
        (line(labels=[{"answer": "agree", "fact": "no-such"}]), "fact_id"),
    ],
)
def test_a_wrong_line_is_told_of_and_keeps_no_other_back(acme, finding, wrong, field):
    before, refused, after = take(acme, line(), wrong, line(labeller="study B"))

    assert (before.status, refused.status, after.status) == ("accepted", "rejected", "accepted")
    assert (refused.field, bool(refused.code), bool(refused.message)) == (field, True, True)
    assert sorted(Review.objects.values_list("made_by", flat=True)) == ["study A", "study B"]


def test_a_conversation_of_several_sources_needs_its_source(acme, finding):
    create_compaction(create_conversation(acme, external_id="c-1", source="events"))

    unclear, clear = take(acme, line(), line(source="codex"))

    assert (unclear.status, unclear.field, clear.status) == ("rejected", "source", "accepted")


def test_labels_do_not_reach_another_workspace(globex, finding):
    [taken] = take(globex, line())

    assert (taken.status, Review.objects.count()) == ("rejected", 0)
