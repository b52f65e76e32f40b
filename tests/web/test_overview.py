from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import create_batch, create_compaction, create_conversation


@pytest.mark.parametrize("rows", [1, 3])
def test_overview_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        create_compaction(create_conversation(acme, agent="coder"))
        create_batch(acme, problems=[{}])

    with django_assert_num_queries(11):
        response = alice.get("/w/acme/")

    assert len(response.context["compactions"]) == len(response.context["batches"]) == rows


def test_overview_counts_what_came_in(alice, acme):
    now = timezone.now()
    for age in (1, 30, 24 * 30):
        create_compaction(create_conversation(acme, last_at=now - timedelta(hours=age)), at=now - timedelta(hours=age))

    periods = alice.get("/w/acme/").context["periods"]

    assert [counts for _, counts in periods] == [
        {"conversations": 2, "compactions": 2},
    ]


def test_overview_names_batches_with_problems_only(alice, acme):
    create_batch(acme, name="fine.jsonl")
    create_batch(acme, name="broken.jsonl", problems=[{}, {}])
    create_batch(acme, name="failed.jsonl", state="failed", error="bug")

    page = alice.get("/w/acme/").content.decode()

    assert "fine.jsonl" not in page
    assert "2 lines not understood" in page
    assert "could not be read" in page


def test_overview_shows_how_to_begin(alice):
    page = alice.get("/w/acme/").content.decode()

    assert "Nothing has come in yet" in page
    assert "http://testserver/api/v1/events" in page


def test_overview_says_that_something_waits(alice, acme):
    create_batch(acme, state="pending", digested_at=None)

    page = alice.get("/w/acme/").content.decode()

    assert "Waiting to be read" in page
    assert "Nothing has come in yet" not in page


def test_overview_refreshes_its_live_part(alice, acme):
    create_conversation(acme)

    part = alice.get("/w/acme/", headers={"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith('<div id="live"')


def test_a_compaction_copied_into_a_fork_counts_once_and_leads_to_the_original(alice, acme):
    original = create_compaction(create_conversation(acme), at=timezone.now())
    fork = create_conversation(acme, title="The fork")
    copy = create_compaction(fork, at=timezone.now(), copy_of=original)

    overview = alice.get("/w/acme/")
    listed = alice.get("/w/acme/compactions/?order=newest")
    page = alice.get(f"/w/acme/compactions/{copy.pk}/").content.decode()

    [row] = overview.context["compactions"]
    assert original.get_absolute_url() in row
    assert dict(overview.context["periods"])["last 7 days"]["compactions"] == 1
    assert [row.pk for row in listed.context["page"].rows] == [original.pk]
    assert f'href="/w/acme/compactions/{original.pk}/"' in page
