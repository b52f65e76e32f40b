"""Three people at once on one queue, in threads with connections of their own: nothing is judged twice or lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse

from conversations.models import Queue, QueueItem, Reservation, Review
from conversations.review.places import claim_next, release
from conversations.review.services import open_review, save_review, submit
from tests.factories import create_compaction, create_conversation, create_workspace
from tests.review.rows import create_reviewer

PEOPLE = ("ann", "ben", "cleo")

pytestmark = pytest.mark.django_db(transaction=True)


def queue_of(items, **fields):
    """A queue in a workspace of its own, and three reviewers of it."""
    acme = create_workspace()
    queue = Queue.objects.create(workspace=acme, name="Together", **fields)
    conversation = create_conversation(acme)
    first = create_compaction(conversation, None)
    template = {name: getattr(first, name) for name in ("workspace", "conversation", "kind", "at", "summary_state")}
    more = [
        type(first)(external_id=f"more-{number}", position=first.position + number, number=number + 1, **template)
        for number in range(1, items)
    ]
    compactions = [first, *type(first).objects.bulk_create(more)]
    QueueItem.objects.bulk_create(
        QueueItem(workspace=acme, queue=queue, compaction=compaction, priority=-compaction.pk)
        for compaction in compactions
    )
    return queue, [create_reviewer(acme, name) for name in PEOPLE]


def all_at_once(work, people):
    """What each one's work returned; they begin together."""
    begin = threading.Barrier(len(people))

    def run(person):
        begin.wait()
        try:
            return work(person)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


def work_through(queue, user):
    """Item after item until nothing is left; the ids of the items."""
    done = []
    while item := claim_next(queue, user):
        said = {"overall": "faithful", "comment": f"{user} on {item.pk}"}
        review = Review.objects.create(
            workspace=queue.workspace, compaction_id=item.compaction_id, item=item, reviewer=user, **said
        )
        submit(review, 0)
        done.append(item.pk)
    return done


@pytest.mark.parametrize(("items", "asked"), [(200, 1), (40, 2)])
def test_three_people_share_a_queue(items, asked):
    queue, people = queue_of(items, reviewers_per_item=asked)

    done = all_at_once(lambda user: work_through(queue, user), people)

    assert sorted(pk for each in done for pk in each) == sorted(
        [*QueueItem.objects.values_list("pk", flat=True)] * asked
    )
    assert all(len(set(each)) == len(each) for each in done)
    assert set(QueueItem.objects.values_list("state", flat=True)) == {"done"}
    assert Review.objects.filter(submitted_at__isnull=False, overall="faithful").count() == items * asked
    assert {review.comment for review in Review.objects.all()} == {
        f"{user} on {pk}" for user, each in zip(people, done, strict=True) for pk in each
    }
    assert not Reservation.objects.exists()


def test_last_place_goes_to_one_of_three():
    queue, people = queue_of(1)

    for _ in range(5):
        got = all_at_once(lambda user: claim_next(queue, user), people)

        assert sum(item is not None for item in got) == 1
        for user in people:
            release(queue.items.get(), user)


def test_last_item_has_a_place_for_two_of_three():
    queue, people = queue_of(1, reviewers_per_item=2)

    got = all_at_once(lambda user: claim_next(queue, user), people)

    assert sum(item is not None for item in got) == 2


def test_one_person_in_three_tabs_holds_one_place():
    queue, people = queue_of(2)

    got = all_at_once(lambda _tab: claim_next(queue, people[0]), range(3))

    assert set(got) <= set(queue.items.all())
    assert Reservation.objects.count() == len(set(got))


def test_pages_share_a_queue_too():
    queue, people = queue_of(6)
    address = reverse("queue_next", args=["acme", queue.pk])

    def browse(user):
        client, seen = Client(), []
        client.force_login(user)
        while (answer := client.get(address)).status_code == 303:
            compaction, _, query = answer["Location"].partition("?")
            seen.append(query)
            said = {"overall": "faithful", "comment": str(user), "then": "submit", "revision": "0"}
            saved = client.post(f"{compaction}review/save/?{query}", said)
            assert saved.status_code < 400, saved.content
        return seen

    seen = [query for each in all_at_once(browse, people) for query in each]

    assert len(seen) == len(set(seen)) == 6
    assert Review.objects.filter(submitted_at__isnull=False).count() == 6
    assert set(queue.items.values_list("state", flat=True)) == {"done"}


def test_what_somebody_is_taking_is_passed_over_not_waited_for():
    """The other transaction ends only after the claim: waiting would never end."""
    queue, people = queue_of(2)
    first = queue.items.order_by("-priority").first()
    taken, claimed = threading.Event(), threading.Event()

    def take():
        with transaction.atomic():
            QueueItem.objects.select_for_update().get(pk=first.pk)
            taken.set()
            assert claimed.wait(20)
        connection.close()

    holder = threading.Thread(target=take)
    holder.start()
    assert taken.wait(20)
    item = claim_next(queue, people[0])
    claimed.set()
    holder.join()

    assert item not in {None, first}


def test_two_people_who_begin_the_same_item_do_not_wait_for_each_other():
    queue, people = queue_of(1, reviewers_per_item=2)
    item = queue.items.select_related("compaction", "queue").get()
    begun = threading.Barrier(2, timeout=30)

    def begin(person):
        with transaction.atomic():
            review = open_review(compaction=item.compaction, user=person, item=item)
            begun.wait()
            return save_review(review, None, overall="faithful").overall

    assert all_at_once(begin, people[:2]) == ["faithful", "faithful"]
    assert Reservation.objects.filter(item=item).count() == 2
