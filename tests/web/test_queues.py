from datetime import date

import pytest

from conversations.models import Activity, Queue, QueueItem, Reservation, Review
from conversations.review.places import claim_next
from conversations.review.services import open_review, save_review, save_verdict, submit
from tests.factories import create_agent, create_compaction, create_conversation
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding

LIST = "/w/acme/review/"
FORM = {
    "name": "Coder, riskiest", "instructions": "Look at **rules** first.", "agent": "coder", "sampling": "riskiest",
    "sample_percent": "10", "reviewers_per_item": "2", "reservation_minutes": "30", "due_on": "2026-12-24",
    "goal_per_week": "40", "blind": "on",
    "criterion-0-key": "completeness", "criterion-0-name": "Complete?", "criterion-0-help": "All there?",
    "criterion-0-steps": "no\nyes", "criterion-1-name": "Tone", "criterion-1-steps": "bad\nfair\ngood",
}  # fmt: skip


def handed_in(item, user, overall="faithful", comment=""):
    review = open_review(compaction=item.compaction, user=user, item=item)
    save_review(review, None, overall=overall, comment=comment)
    return submit(review, None)


def audited(workspace, agent="coder", **fields):
    compaction = create_compaction(create_conversation(workspace, agent=create_agent(workspace, agent)))
    create_audit(compaction, **fields)
    return compaction


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(bob, acme, rows, django_assert_num_queries):
    for number in range(rows):
        queue = create_queue(acme, items=rows, name=f"Queue {number}")
        handed_in(claim_next(queue, bob.user), bob.user)

    with django_assert_num_queries(8):
        response = bob.get(LIST)

    assert len(response.context["open"]) == rows


def test_list_says_how_far_each_queue_is(alice, bob, acme):
    queue = create_queue(acme, items=5, reviewers_per_item=2, goal_per_week=10)
    first, second, third, *_ = queue.items.order_by("-priority")
    for item, other in ((first, "faithful"), (second, "harmful_loss")):
        handed_in(item, alice.user)
        handed_in(item, bob.user, other)
    handed_in(third, bob.user)
    claim_next(queue, alice.user)

    [found] = bob.get(LIST).context["open"]

    assert (found.waiting, found.reserved, found.done, found.disagreed, found.mine, found.this_week) == (
        2,
        1,
        2,
        1,
        2,
        5,
    )
    assert (found.total, found.percent) == (5, 40)


def test_start_is_offered_to_who_may_and_has_something_to_do(bob, victor, acme):
    queue = create_queue(acme, items=1)
    address = f'href="{LIST}{queue.pk}/next/"'

    assert address in bob.get(LIST).content.decode()
    assert address not in victor.get(LIST).content.decode()
    handed_in(queue.items.get(), bob.user)
    assert address not in bob.get(LIST).content.decode()


def test_closed_queues_stand_below(bob, acme):
    create_queue(acme, name="Old one", closed_at="2026-11-01T00:00Z")

    page = bob.get(LIST)

    assert (len(page.context["open"]), len(page.context["closed"])) == (0, 1)
    assert "No queue is open" in page.content.decode()


def test_empty_list_offers_to_make_one_only_to_who_may(alice, bob):
    assert "Make a queue" in alice.get(LIST).content.decode()
    assert "Make a queue" not in bob.get(LIST).content.decode()


def test_bar_counts_what_waits_for_me(bob, victor, acme, globex):
    create_queue(acme, items=3)
    create_queue(acme, name="Closed", items=2, closed_at="2026-11-01T00:00Z")
    create_queue(globex, items=1)

    assert bob.get(LIST).context["to_review"] == "3"
    assert victor.get(LIST).context["to_review"] == ""


def test_bar_counts_no_further_than_it_can_show(bob, acme, monkeypatch):
    monkeypatch.setattr("conversations.review.queries.MOST_WAITING", 2)
    monkeypatch.setattr("conversations.web.pages.MOST_WAITING", 2)
    create_queue(acme, items=3)

    assert bob.get(LIST).context["to_review"] == "1+"


def test_bar_shows_its_own_numbers_and_not_the_page_s(bob, acme):
    queue = create_queue(acme, items=2)

    assert bob.get(f"{LIST}{queue.pk}/").content.decode().count('class="count"') == 1


# --- a queue ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_items(bob, alice, acme, rows, django_assert_num_queries):
    queue = create_queue(acme, items=rows + 1, reviewers_per_item=2)
    for _ in range(rows):
        handed_in(claim_next(queue, alice.user), alice.user)
    claim_next(queue, alice.user)

    with django_assert_num_queries(11):
        response = bob.get(f"{LIST}{queue.pk}/")

    assert len(response.context["items"]) == rows + 1


def test_page_shows_items_as_they_are_handed_out_with_who_is_at_them(bob, alice, acme):
    queue = create_queue(acme, items=2, instructions="Look at **rules**.")
    create_audit(claim_next(queue, alice.user).compaction)

    response = bob.get(f"{LIST}{queue.pk}/")

    assert [row.at_it for row in response.context["items"]] == [["Alice"], []]
    assert "Look at <strong>rules</strong>." in response.content.decode()


def test_page_cuts_down_to_a_state(bob, acme):
    queue = create_queue(acme, items=2)
    done = claim_next(queue, bob.user)
    handed_in(done, bob.user)

    assert [row.item for row in bob.get(f"{LIST}{queue.pk}/?state=done").context["items"]] == [done]
    assert len(bob.get(f"{LIST}{queue.pk}/?state=odd").context["items"]) == 2
    assert "No such item" in bob.get(f"{LIST}{queue.pk}/?state=settled").content.decode()


def test_page_keeps_what_others_said_from_who_has_yet_to_judge(bob, alice, acme):
    queue = create_queue(acme, items=1, reviewers_per_item=2)
    handed_in(queue.items.get(), alice.user, "harmful_loss")
    page = f"{LIST}{queue.pk}/"

    assert bob.get(page).context["items"][0].said == [("Alice", "")]
    handed_in(queue.items.get(), bob.user, "harmful_loss")
    assert bob.get(page).context["items"][0].said == [("Alice", "harmful loss"), ("Bob", "harmful loss")]


def test_calibration_item_tells_nobody_what_others_said_before_they_judged(bob, alice, acme):
    queue = create_queue(acme)
    item = create_item(queue, calibration=True)
    handed_in(item, alice.user)
    page = f"{LIST}{queue.pk}/"

    assert bob.get(page).context["items"][0].said == [("Alice", "")]
    assert alice.get(page).context["items"][0].said == [("Alice", "faithful")]


def test_long_queue_goes_on_on_the_next_page(bob, acme):
    queue = create_queue(acme)
    conversation = create_conversation(acme)
    items = [create_item(queue, create_compaction(conversation), priority=number) for number in range(52)]

    first = bob.get(f"{LIST}{queue.pk}/")
    second = bob.get(f"{LIST}{queue.pk}/", {"after": first.context["page"].next})

    assert [row.item for row in first.context["items"]] == items[:1:-1]
    assert [row.item for row in second.context["items"]] == items[1::-1]


# --- the next one -----------------------------------------------------------------------------------------------------


def test_next_reserves_an_item_and_leads_to_it(bob, acme):
    queue = create_queue(acme, items=1)
    item = queue.items.get()

    response = bob.get(f"{LIST}{queue.pk}/next/")

    assert response.status_code == 303
    assert response["Location"] == f"/w/acme/compactions/{item.compaction_id}/?queue={queue.pk}&item={item.pk}"
    assert Reservation.objects.get().user == bob.user


@pytest.mark.parametrize("fields", [{}, {"items": 1, "closed_at": "2026-11-01T00:00Z"}])
def test_next_of_nothing_leads_to_the_queue(bob, acme, fields):
    queue = create_queue(acme, **fields)

    assert bob.get(f"{LIST}{queue.pk}/next/")["Location"] == f"{LIST}{queue.pk}/"


def test_item_is_given_back(bob, acme):
    queue = create_queue(acme, items=1)
    item = claim_next(queue, bob.user)

    assert "Give back" in bob.get(f"{LIST}{queue.pk}/").content.decode()
    bob.post(f"{LIST}items/{item.pk}/release/")

    assert not Reservation.objects.exists()


# --- made, changed, closed --------------------------------------------------------------------------------------------


def test_queue_is_made_and_filled(alice, acme, django_capture_on_commit_callbacks):
    fits = audited(acme, risk=0.5)
    audited(acme, "support", risk=0.5)

    with django_capture_on_commit_callbacks(execute=True):
        response = alice.post(f"{LIST}new/", FORM)

    queue = Queue.objects.get()
    assert response["Location"] == f"{LIST}{queue.pk}/"
    assert (queue.created_by, queue.filters, queue.blind, queue.reviewers_per_item) == (
        alice.user, {"agent": "coder"}, True, 2,
    )  # fmt: skip
    assert (queue.due_on, queue.goal_per_week) == (date(2026, 12, 24), 40)
    assert queue.rubric == [
        {"key": "completeness", "name": "Complete?", "help": "All there?",
         "scale": [{"value": 1, "label": "no"}, {"value": 2, "label": "yes"}]},
        {"key": "tone", "name": "Tone", "help": "",
         "scale": [{"value": 1, "label": "bad"}, {"value": 2, "label": "fair"}, {"value": 3, "label": "good"}]},
    ]  # fmt: skip
    assert [item.compaction for item in queue.items.all()] == [fits]
    assert Activity.objects.latest("id").action == "queue.made"


def test_changing_what_flows_in_draws_anew(alice, acme, django_capture_on_commit_callbacks):
    audited(acme)
    wanted = audited(acme, "support")
    queue = create_queue(acme, items=2)

    with django_capture_on_commit_callbacks(execute=True):
        alice.post(f"{LIST}{queue.pk}/edit/", {**FORM, "agent": "support", "sampling": "all"})

    assert [item.compaction for item in queue.items.all()] == [wanted]
    assert Activity.objects.latest("id").detail["filters"] == [{}, {"agent": "support"}]


def test_changing_the_rest_leaves_items_and_counts_them_anew(alice, bob, acme):
    queue = create_queue(acme, items=2, reviewers_per_item=2)
    handed_in(claim_next(queue, bob.user), bob.user)
    form = {**FORM, "agent": "", "sampling": "all", "reviewers_per_item": "1"}

    alice.post(f"{LIST}{queue.pk}/edit/", form)

    assert sorted(queue.items.values_list("state", flat=True)) == ["done", "waiting"]


def test_form_begins_with_the_default_rubric_and_the_filters_of_its_address(alice, acme):
    create_agent(acme, "coder")

    response = alice.get(f"{LIST}new/?agent=coder&found=harm")

    assert [row.key for row in response.context["rubric"].rows] == ["completeness", "faithfulness", "usefulness", ""]
    assert response.context["filters"].values == {"agent": "coder", "found": "harm"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Taken"}, "name"),
        ({"sampling": "magic"}, "sampling"),
        ({"sample_percent": "0"}, "sample_percent"),
        ({"reviewers_per_item": "21"}, "reviewers_per_item"),
        ({"reservation_minutes": "many"}, "reservation_minutes"),
        ({"due_on": "tomorrow"}, "due_on"),
        ({"goal_per_week": "0"}, "goal_per_week"),
    ],
)
def test_form_says_what_is_wrong(alice, acme, changed, field):
    create_queue(acme, name="Taken")

    response = alice.post(f"{LIST}new/", {**FORM, **changed})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Queue.objects.count() == 1


def test_scale_of_one_step_is_refused_beside_it(alice, acme):
    response = alice.post(f"{LIST}new/", {**FORM, "criterion-1-steps": "only"})

    assert response.status_code == 422
    assert "2 to 10 steps" in response.content.decode()
    assert not Queue.objects.exists()


def test_criteria_of_one_name_are_told_apart(alice, acme):
    alice.post(f"{LIST}new/", {**FORM, "criterion-2-name": "Tone", "criterion-2-steps": "a\nb"})

    assert [each["key"] for each in Queue.objects.get().rubric] == ["completeness", "tone", "tone-2"]


@pytest.mark.parametrize("then", ["preview", "add"])
def test_looking_saves_nothing_and_keeps_what_was_typed(alice, acme, then):
    audited(acme, risk=1)

    response = alice.post(f"{LIST}new/", {**FORM, "name": "", "then": then})

    assert response.status_code == 200
    assert response.context["preview"].taken == 1
    assert [row.name for row in response.context["rubric"].rows] == ["Complete?", "Tone", ""]
    assert "<strong>rules</strong>" in response.content.decode()
    assert not Queue.objects.exists()


def test_script_gets_the_preview_alone(alice, acme):
    page = alice.post(f"{LIST}new/", {**FORM, "then": "preview"}, headers={"HX-Request": "true"}).content.decode()

    assert page.startswith('<div id="preview"')


def test_closing_hands_nothing_out_and_opening_fills(alice, bob, acme, django_capture_on_commit_callbacks):
    queue = create_queue(acme)
    audited(acme)

    alice.post(f"{LIST}{queue.pk}/state/", {"to": "closed"})
    queue.refresh_from_db()
    assert queue.closed_at
    assert bob.get(f"{LIST}{queue.pk}/next/").status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        alice.post(f"{LIST}{queue.pk}/state/", {"to": "open"})

    assert queue.items.count() == 1
    assert list(Activity.objects.order_by("id").values_list("action", flat=True)) == ["queue.closed", "queue.opened"]


# --- the second look --------------------------------------------------------------------------------------------------


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
