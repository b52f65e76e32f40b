import pytest

from conversations.models import Reservation
from conversations.review.places import claim_next
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_item, create_queue, handed_in
from tests.web.audited import create_audit

LIST = "/w/acme/review/"


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
