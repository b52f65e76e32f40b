from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from conversations import tasks
from conversations.audit.learned_services import apply_version, left_behind, newest_version, put_in_order
from conversations.models import Activity, CompactionAudit, Finding, RankingVersion, Review, Verdict
from conversations.review import learning, teaching
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_reviewer
from tests.web.audited import create_audit, create_finding

DECISIONS_FIRST = {"kind decision": 2.0}


def compaction_with(acme, kinds=("value", "decision", "value")):
    """Losses of these kinds, the first ranked highest."""
    compaction = create_compaction(create_conversation(acme))
    for number, kind in enumerate(kinds, 1):
        create_finding(compaction, number, kind=kind, rank=0.6 - number / 10)
    create_finding(compaction, len(kinds) + 1, outcome="kept", kind="decision", rank=0.0)
    create_audit(compaction, risk=1.2)
    return compaction


def version(acme, weights, **fields):
    number = RankingVersion.objects.filter(workspace=acme).count() + 1
    state = "used" if weights else "off"
    return RankingVersion.objects.create(workspace=acme, number=number, state=state, weights=weights, **fields)


def kinds_in_order(compaction):
    return list(compaction.findings.order_by("number").values_list("kind", flat=True))


def judge(review, fact, answer="agree", **fields):
    fields = {
        "text": "x", "kind": "value", "outcome": "forgotten", "number": 1, "detector": "presence",
        "auditor_version": "3", "probability": 0.1, **fields,
    }  # fmt: skip
    return Verdict.objects.create(
        workspace=review.workspace, review=review, compaction=review.compaction, fact_id=fact, answer=answer, **fields
    )


def review_of(compaction, reviewer, **fields):
    fields = {"submitted_at": timezone.now(), **fields}
    return Review.objects.create(workspace=compaction.workspace, compaction=compaction, reviewer=reviewer, **fields)


# --- what is learned from


def test_examples_are_losses_that_are_still_found_as_they_were_shipped(acme):
    compaction = compaction_with(acme)
    version(acme, DECISIONS_FIRST)
    tasks.apply_ranking(newest_version(acme.pk).pk)
    review = review_of(compaction, create_reviewer(acme, "ada"))
    judge(review, "fact-1", "not_lost")
    judge(review, "fact-2", "reword", reworded="x")
    judge(review, "fact-3", "agree", outcome="kept")  # what an earlier auditor said is no loss
    judge(review, "fact-4")  # no loss by now
    judge(review, "gone")
    judge(review_of(compaction, create_reviewer(acme, "ben"), submitted_at=None), "fact-3")

    found = {each.fact_id: each for each in teaching.examples_of(acme)}

    assert {fact: each.is_worth for fact, each in found.items()} == {"fact-1": False, "fact-2": True}
    assert (found["fact-2"].number, found["fact-2"].rank) == (2, pytest.approx(0.4))
    assert found["fact-2"].traits == ("kind decision", "detector presence", "outcome forgotten", "by user")
    assert found["fact-1"].conversation == compaction.conversation_id


def test_a_finding_on_which_people_are_split_teaches_nothing(acme):
    compaction = compaction_with(acme)
    for name, answer in (("ada", "agree"), ("ben", "not_lost")):
        judge(review_of(compaction, create_reviewer(acme, name)), "fact-1", answer)

    assert teaching.examples_of(acme) == []


# --- versions


def test_too_few_verdicts_make_a_note_and_move_nothing(acme):
    compaction = compaction_with(acme)
    review = review_of(compaction, create_reviewer(acme, "ada"))
    judge(review, "fact-1")

    assert teaching.teach(acme) is None
    assert teaching.teach(acme) is None
    judge(review, "fact-2")
    assert teaching.teach(acme) is None

    noted = RankingVersion.objects.get()
    assert (noted.number, noted.state, noted.weights) == (1, "too_few", {})
    assert noted.trial["fitted"] + noted.trial["held"] == 2
    assert left_behind() == []


def learned(weights):
    state = "used" if weights else "no_better"
    return learning.Learned(learning.RankingState(state), weights, learning.Trial(200, 90, 8, 400))


def test_a_version_is_made_where_other_weights_are_to_be_applied(acme, monkeypatch):
    review = review_of(compaction_with(acme), create_reviewer(acme, "ada"))
    numbers = []
    for at, weights in enumerate([{}, DECISIONS_FIRST, DECISIONS_FIRST, {}], 1):
        judge(review, f"fact-{at}")
        monkeypatch.setattr(teaching, "learn", lambda _, weights=weights: learned(weights))
        made = teaching.teach(acme)
        numbers.append(made and made.number)

    assert numbers == [None, 2, None, 3]
    assert list(RankingVersion.objects.order_by("number").values_list("state", flat=True)) == [
        "no_better", "used", "no_better",
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["withdrawn", "handed in", "changed"])
def test_whatever_verdicts_say_now_is_learned_from(acme, change):
    review = review_of(compaction_with(acme), create_reviewer(acme, "ada"))
    verdict = judge(review, "fact-1")
    before = teaching.verdicts_key(acme)
    assert teaching.verdicts_key(acme) == before

    if change == "withdrawn":
        verdict.delete()
    elif change == "changed":
        verdict.answer = "not_lost"
        verdict.save()
    else:
        review.submitted_at += timedelta(minutes=1)
        review.save()

    assert teaching.verdicts_key(acme) != before


# --- applying


def test_stored_findings_are_put_in_the_new_order_and_back(acme, django_capture_on_commit_callbacks):
    compactions = [compaction_with(acme) for _ in range(3)]
    verdict = judge(review_of(compactions[0], create_reviewer(acme, "ada")), "fact-2")
    before = Finding.objects.order_by("id").values("number", "rank", "parts")
    shipped = list(before.all())

    taught = version(acme, DECISIONS_FIRST, total=3)
    tasks.apply_ranking(taught.pk)

    taught.refresh_from_db()
    assert (taught.done, taught.applied_at is not None, taught.claimed_until) == (3, True, None)
    assert [kinds_in_order(each) for each in compactions] == [["decision", "value", "value", "decision"]] * 3
    first = compactions[0].findings.get(number=1)
    assert first.parts["team"]["number"] == 2
    risk = CompactionAudit.objects.get(compaction=compactions[0]).risk
    assert risk == pytest.approx(sum(compactions[0].findings.values_list("rank", flat=True)), abs=1e-3)
    tasks.apply_ranking(version(acme, {}).pk)

    assert list(before.all()) == shipped
    assert Verdict.objects.get() == verdict


def test_applying_goes_on_where_its_worker_left_off(acme):
    compactions = [compaction_with(acme) for _ in range(2)]
    taught = version(acme, DECISIONS_FIRST, below=compactions[1].pk, done=1)

    assert apply_version(taught.pk, -1) is True
    assert left_behind() == [taught.pk]
    assert apply_version(taught.pk, 60) is False

    assert kinds_in_order(compactions[0])[0] == "decision"
    assert kinds_in_order(compactions[1])[0] == "value"
    assert left_behind() == []


def test_only_one_worker_is_at_a_version_and_a_newer_one_goes_before(acme):
    compaction = compaction_with(acme)
    older = version(acme, DECISIONS_FIRST, claimed_until=timezone.now() + timedelta(minutes=1))
    assert apply_version(older.pk, 60) is False
    assert kinds_in_order(compaction)[0] == "value"
    version(acme, {})
    RankingVersion.objects.filter(pk=older.pk).update(claimed_until=F("claimed_until") - timedelta(minutes=2))

    tasks.resume_rankings()

    assert kinds_in_order(compaction)[0] == "value"
    assert left_behind() == []


def test_what_is_audited_later_has_the_teams_order_at_once(acme):
    compaction = compaction_with(acme)
    version(acme, DECISIONS_FIRST, applied_at=timezone.now())
    rows = list(compaction.findings.order_by("number"))

    risk = put_in_order(acme.pk, rows)

    assert [row.number for row in rows] == [2, 1, 3, 4]
    assert risk == pytest.approx(sum(row.rank for row in rows), abs=1e-3)


# --- the wish


def test_a_team_that_does_not_want_it_has_the_shipped_ranking(acme, alice):
    version(acme, DECISIONS_FIRST, applied_at=timezone.now())

    assert teaching.set_wish(acme, alice.user, learns=False) is True
    assert teaching.set_wish(acme, alice.user, learns=False) is False
    made = teaching.teach(acme)

    assert (made.number, made.state, made.weights) == (2, "off", {})
    assert Activity.objects.get().action == "ranking.as_shipped"
    assert teaching.set_wish(acme, alice.user, learns=True) is True
    assert teaching.teach(acme) is None
    assert newest_version(acme.pk).state == "too_few"


def test_every_workspace_learns_by_itself(acme, globex):
    tasks.teach_rankings()

    assert set(RankingVersion.objects.values_list("workspace__slug", "state")) == {
        ("acme", "too_few"), ("globex", "too_few"),
    }  # fmt: skip
