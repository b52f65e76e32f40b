"""Items of queues: the next one, places, expired reservations."""

from django.utils import timezone

from conversations.models import Reservation, Review
from conversations.review.places import claim_next
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_item
from tests.web.reviewing.bars import at, page, post, query_of, text_of, whole


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
