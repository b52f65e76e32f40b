import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Queue, QueueItem, Reservation, Review
from conversations.review import places
from conversations.review.places import claim_next, hold, release, reservation_of, sweep_reservations
from conversations.review.services import open_review, save_review, submit
from tests.review.rows import create_item, create_queue, create_reviewer

LONG_AGO = "2026-01-01T00:00Z"


@pytest.fixture
def ann(acme):
    return create_reviewer(acme, "ann")


@pytest.fixture
def ben(acme):
    return create_reviewer(acme, "ben")


def judge(item, user):
    review = open_review(compaction=item.compaction, user=user, item=item)
    save_review(review, None, overall="faithful")
    submit(review, None)


def test_items_are_handed_out_by_priority_each_to_one_person(acme, ann, ben):
    queue = create_queue(acme, items=2)
    first, second = queue.items.order_by("-priority")

    assert claim_next(queue, ann) == first
    assert claim_next(queue, ben) == second
    assert claim_next(queue, create_reviewer(acme, "cleo")) is None


def test_claiming_again_gives_the_same_item_for_longer(acme, ann):
    queue = create_queue(acme, items=2)
    item = claim_next(queue, ann)
    Reservation.objects.update(expires_at=LONG_AGO)

    assert claim_next(queue, ann) == item
    assert reservation_of(item, ann)


def test_next_item_is_claimed_while_one_is_on_the_screen(acme, ann):
    queue = create_queue(acme, items=2)
    first, second = queue.items.order_by("-priority")
    claim_next(queue, ann)

    assert claim_next(queue, ann, besides=[first.pk]) == second
    assert claim_next(queue, ann, besides=[first.pk, second.pk]) is None


def test_two_reviewers_an_item_are_two_people(acme, ann, ben):
    queue = create_queue(acme, items=1, reviewers_per_item=2)
    [item] = queue.items.all()

    judge(claim_next(queue, ann), ann)

    assert claim_next(queue, ann) is None
    assert claim_next(queue, ben) == item
    assert claim_next(queue, create_reviewer(acme, "cleo")) is None


def test_own_draft_comes_before_what_is_more_urgent(acme, ann):
    queue = create_queue(acme, items=3)
    last = queue.items.order_by("priority").first()
    open_review(compaction=last.compaction, user=ann, item=last)

    assert claim_next(queue, ann) == last


def test_everybody_gets_a_calibration_item_and_gets_it_first(acme, ann, ben):
    queue = create_queue(acme, items=1)
    item = create_item(queue, calibration=True)

    for user in (ann, ben):
        assert claim_next(queue, user) == item
        judge(item, user)

    item.refresh_from_db()
    assert item.state == "done"
    assert claim_next(queue, create_reviewer(acme, "cleo")) == item


def test_closed_queue_hands_nothing_out(acme, ann):
    assert claim_next(create_queue(acme, items=1, closed_at=LONG_AGO), ann) is None


def test_queues_do_not_mix(acme, ann):
    create_queue(acme, items=1)

    assert claim_next(create_queue(acme, name="Empty"), ann) is None


def test_expiry_returns_items(acme, ann, ben):
    queue = create_queue(acme, items=1)
    item = claim_next(queue, ann)
    assert claim_next(queue, ben) is None

    Reservation.objects.update(expires_at=LONG_AGO)

    assert claim_next(queue, ben) == item
    assert not hold(item, ann)


def test_release_gives_the_place_back_and_keeps_what_was_written(acme, ann, ben):
    queue = create_queue(acme, items=2)
    first, second = queue.items.order_by("-priority")
    for item in (first, second):
        claim_next(queue, ann, besides=[first.pk] if item == second else [])
        draft = open_review(compaction=item.compaction, user=ann, item=item)
    save_review(draft, 0, comment="Half a thought")

    release(first, ann)
    release(second, ann)

    assert list(Review.objects.all()) == [draft]
    assert claim_next(queue, ben) == first


def test_sweeper_deletes_what_has_expired(acme, ann, ben):
    queue = create_queue(acme, items=2)
    old, new = claim_next(queue, ann), claim_next(queue, ben)
    Reservation.objects.filter(item=old).update(expires_at=LONG_AGO)

    assert sweep_reservations() == 1
    assert Reservation.objects.get().item == new


# --- whatever happens -------------------------------------------------------------------------------------------------

PEOPLE = 3
STEPS = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(["claim", "hand in", "release", "expire", "save"])),
    max_size=25,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, asked=st.integers(1, 3))
def test_never_more_people_than_asked_for_whatever_happens(acme, steps, asked):
    Queue.objects.all().delete()
    people = [create_or_get(acme, f"person{number}") for number in range(PEOPLE)]
    queue = create_queue(acme, items=3, reviewers_per_item=asked)
    holding = {}

    for number, step in steps:
        act(queue, people[number], step, holding)

        for item in QueueItem.objects.all():
            assert places_taken(item) <= asked


def create_or_get(workspace, name):
    found = workspace.members.filter(email=f"{name}@example.org").first()
    return found or create_reviewer(workspace, name)


def act(queue, user, step, holding):
    item = holding.get(user.pk)
    if step == "claim":
        holding[user.pk] = claim_next(queue, user) or item
    elif step == "expire":
        Reservation.objects.filter(user=user).update(expires_at=LONG_AGO)
    elif item is None or Review.objects.filter(item=item, reviewer=user, submitted_at__isnull=False).exists():
        return
    elif step == "release":
        release(item, user)
    elif step == "save":
        save_review(open_review(compaction=item.compaction, user=user, item=item), None, comment=step)
    elif hold(item, user):
        judge(item, user)


def places_taken(item):
    handed_in = set(item.reviews.filter(submitted_at__isnull=False).values_list("reviewer", flat=True))
    reserved = set(item.reservations.filter(expires_at__gt="2026-06-01T00:00Z").values_list("user", flat=True))
    assert not handed_in & reserved
    return len(handed_in | reserved)


@pytest.mark.django_db(transaction=True)
def test_item_that_is_taken_meanwhile_is_given_back_at_once(acme, ann, monkeypatch):
    """Else two people could wait for each other: each for what the other had looked at before."""
    queue = create_queue(acme, items=2)
    reserve, first, others = places._reserve, [], []

    def others_were_faster(item, user):
        if not first:
            first.append(item.pk)
            return False
        others.append(is_free(first[0]))
        return reserve(item, user)

    monkeypatch.setattr(places, "_reserve", others_were_faster)

    claimed = claim_next(queue, ann)

    assert claimed.pk not in first
    assert others == [True]


def is_free(item):
    """Whether another connection can lock the item."""
    params = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{name: params[name] for name in names if params.get(name)}) as other:
        found = other.execute(
            "SELECT 1 FROM conversations_queueitem WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED", [item]
        )
        return found.fetchone() is not None
