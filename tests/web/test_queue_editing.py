from datetime import date

import pytest

from conversations.models import Activity, Queue
from conversations.review.places import claim_next
from tests.factories import create_agent, create_compaction, create_conversation
from tests.review.rows import create_queue, handed_in
from tests.web.audited import create_audit

LIST = "/w/acme/review/"
FORM = {
    "name": "Coder, riskiest", "instructions": "Look at **rules** first.", "agent": "coder", "sampling": "riskiest",
    "sample_percent": "10", "reviewers_per_item": "2", "reservation_minutes": "30", "due_on": "2026-12-24",
    "goal_per_week": "40", "blind": "on",
    "criterion-0-key": "completeness", "criterion-0-name": "Complete?", "criterion-0-help": "All there?",
    "criterion-0-steps": "no\nyes", "criterion-1-name": "Tone", "criterion-1-steps": "bad\nfair\ngood",
}  # fmt: skip


def audited(workspace, agent="coder", **fields):
    compaction = create_compaction(create_conversation(workspace, agent=create_agent(workspace, agent)))
    create_audit(compaction, **fields)
    return compaction


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
