import pytest

from conversations.models import Activity, QueueItem, Review
from conversations.review.services import open_review, save_verdict
from tests.review.rows import create_queue, create_reviewer, handed_in
from tests.web.audited import create_audit, create_finding

LIST = "/w/acme/review/"


@pytest.fixture
def disagreed(acme, bob):
    """Bob says harmful loss, Cleo faithful; they differ on the one finding, too."""
    queue = create_queue(acme, items=1, reviewers_per_item=2)
    item = queue.items.get()
    create_finding(item.compaction, text="Never write to ledger_v1")
    create_audit(item.compaction)
    for user, overall, answer in (
        (bob.user, "harmful_loss", "agree"), (create_reviewer(acme, "cleo"), "faithful", "not_lost"),
    ):  # fmt: skip
        save_verdict(
            open_review(compaction=item.compaction, user=user, item=item), None, fact_id="fact-1", answer=answer
        )
        handed_in(item, user, overall, comment=f"*{user}*")
    item.refresh_from_db()
    return item


def test_both_verdicts_stand_side_by_side_differences_marked(alice, disagreed):
    response = alice.get(f"{LIST}items/{disagreed.pk}/settle/")

    lines = {line.label: (line.answers, line.differs) for line in response.context["lines"]}
    assert lines["Overall"] == ([("Bob", "harmful loss"), ("Cleo", "faithful")], True)
    assert lines["Completeness"] == ([("Bob", ""), ("Cleo", "")], False)
    assert lines["Never write to ledger_v1"] == ([("Bob", "agree"), ("Cleo", "not lost")], True)
    assert "<em>Cleo</em>" in response.content.decode()


def test_settled_verdict_becomes_the_record(alice, disagreed):
    address = f"{LIST}items/{disagreed.pk}/settle/"
    said = {"overall": "minor_loss", "criterion.completeness": "2", "answer.fact-1": "agree", "comment": "So be it."}

    response = alice.post(address, said)

    record = Review.objects.get(settles=True)
    assert response["Location"] == f"{LIST}{disagreed.queue_id}/"
    assert (record.overall, record.criteria, record.comment) == ("minor_loss", {"completeness": 2}, "So be it.")
    assert [verdict.answer for verdict in record.verdicts.all()] == ["agree"]
    assert QueueItem.objects.get().state == "settled"
    assert "Saving again changes the record" in alice.get(address).content.decode()


def test_what_was_chosen_stays_when_it_cannot_be_saved(alice, disagreed):
    response = alice.post(f"{LIST}items/{disagreed.pk}/settle/", {"answer.fact-1": "agree", "comment": "Typed"})

    assert response.status_code == 422
    assert "Choose an overall verdict" in response.content.decode()
    assert response.context["comment"] == "Typed"
    assert {line.chosen for line in response.context["lines"] if line.name == "answer.fact-1"} == {"agree"}


def test_reviewers_settle_only_what_they_did_not_review(bob, alice, acme, disagreed, client):
    address = f"{LIST}items/{disagreed.pk}/settle/"
    client.force_login(create_reviewer(acme, "dora"))

    assert bob.get(address).status_code == 403
    assert client.get(address).status_code == 200
    assert address in alice.get(f"{LIST}{disagreed.queue_id}/").content.decode()
    assert address not in bob.get(f"{LIST}{disagreed.queue_id}/").content.decode()


def test_nothing_to_settle_is_said(alice, acme):
    item = create_queue(acme, items=1).items.get()

    assert "nothing to settle" in alice.get(f"{LIST}items/{item.pk}/settle/").content.decode()


def test_owners_choose_calibration_items_and_reviewers_are_not_told(alice, bob, acme):
    queue = create_queue(acme, items=1)
    item = queue.items.get()
    page, flag = f"{LIST}{queue.pk}/", f"{LIST}items/{item.pk}/calibration/"

    response = alice.post(flag, {"on": "1"}, follow=True)
    alice.post(flag, {"on": "1"})

    item.refresh_from_db()
    assert item.calibration
    assert '<span class="badge">calibration</span>' in response.content.decode()
    assert "calibration" not in bob.get(page).content.decode().lower()
    api = f"/api/v1/queues/{queue.pk}/items"
    told = [who.get(api, {"workspace": "acme"}).json()["results"][0]["calibration"] for who in (alice, bob)]
    assert told == [True, None]
    assert bob.post(flag, {"on": ""}).status_code == 403
    alice.post(flag, {"on": ""})
    item.refresh_from_db()
    assert not item.calibration
    actions = Activity.objects.filter(action__startswith="queue.calibration").order_by("id")
    assert list(actions.values_list("action", flat=True)) == ["queue.calibration_on", "queue.calibration_off"]


def test_reviews_of_the_week_are_told_of_the_team_and_of_each(alice, bob, acme):
    queue = create_queue(acme, items=3, goal_per_week=3)
    first, second, third = queue.items.all()
    for item, who in ((first, alice), (second, bob), (third, bob)):
        handed_in(item, who.user)

    html = bob.get(f"{LIST}{queue.pk}/").content.decode()

    assert "This week: Bob 2, Alice 1." in html
    assert "of 3, goal reached" in html
    assert "yours 2" in bob.get(LIST).content.decode()
