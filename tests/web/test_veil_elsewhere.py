"""What somebody judges blindly shows nowhere: pages and endpoints that tell of findings, as that person sees them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.models import Reservation, Review
from conversations.review.veiling import veil_of
from tests.audit.ledger_rows import create_check, create_entry
from tests.factories import create_api_key, create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue
from tests.web.audited import create_addition, create_audit, create_finding, create_life_line

#: What the auditor says of the compaction in the table below, and nobody else says anywhere.
TELLTALE = ["zanzibar", "77,777", "77777", "31 %", "0.3125", "0.77125"]
PAGES = [
    "",
    "conversations/",
    "conversations/{conversation}/",
    "conversations/{conversation}/?part=strip",
    "conversations/{conversation}/figure.json",
    "conversations/{conversation}/facts/",
    "compactions/",
    "compactions/?order=newest",
    "compactions/?found=forgotten",
    "compactions/{compaction}/",
    "compactions/{compaction}/facts/1/",
    "compactions/{other}/",
    "compactions/{other}/facts/1/",
    "ledger/",
    "ledger/{entry}/",
    "ledger/{entry}/?where=lost",
    "review/",
    "review/{queue}/",
    "review/digest/",
    "discussion/",
    "notices/",
]
ENDPOINTS = [
    "compactions",
    "compactions?order=worst",
    "compactions?format=csv",
    "compactions/{compaction}",
    "compactions/{compaction}/findings",
    "compactions/{compaction}/ledger",
    "conversations/{conversation}",
    "conversations/{conversation}/compactions",
    "conversations/{conversation}/life-lines",
    "ledger",
    "ledger/{entry}",
    "ledger/{entry}/checks",
    "queues/{queue}/items",
    "reviews",
]


@pytest.fixture
def ids(acme, bob):
    """Two compactions of one conversation; of the first, in a blind queue, the auditor said telling things."""
    conversation = create_conversation(acme, agent="coder", title="Migrate billing")
    said = create_message(conversation, "Never deploy on Friday.")
    told = create_compaction(conversation, "Deploy soon.", dropped=[said])
    create_finding(told, 1, said=said, near="Deploy", reason="Zanzibar is not in the summary.", importance=0.77125)
    create_addition(told, "Deploy soon.", reason="Nobody said zanzibar.")
    create_audit(told, forgotten=77_777, retention=0.3125, retention_low=0.3125, retention_high=0.3125, risk=9.0)
    later = create_message(conversation, "And on.")
    other = create_compaction(conversation, "Deployed.", dropped=[later])
    create_finding(other, 1, said=later, fact_id="fact-1")
    create_audit(other, risk=1.0)
    create_life_line(conversation, ["forgotten"], text="Zanzibar", stages=[
        {"number": 1, "outcome": "forgotten", "fact": "fact-1", "harmful": True},
        {"number": 2, "outcome": "kept", "fact": "fact-1", "came_back": "", "followed": True},
    ])  # fmt: skip
    entry = create_entry(acme)
    create_check(entry, told, outcome="forgotten", reason="Zanzibar is nowhere.", probability=0.77125)
    queue = create_queue(acme, blind=True)
    item = create_item(queue, told)
    rows = {
        "conversation": conversation,
        "compaction": told,
        "other": other,
        "entry": entry,
        "queue": queue,
        "item": item,
    }
    return {name: row.pk for name, row in rows.items()}


@pytest.fixture
def judging(ids, acme, bob):
    """Bob has a place on the item."""
    soon = timezone.now() + timedelta(minutes=30)
    return Reservation.objects.create(workspace=acme, item_id=ids["item"], user=bob.user, expires_at=soon)


def telling(answer):
    text = b"".join(answer) if answer.streaming else answer.content
    return [word for word in TELLTALE if word in text.decode().lower()]


@pytest.mark.parametrize("page", PAGES)
def test_page_tells_nothing_to_who_judges_blindly(bob, ids, judging, page):
    answer = bob.get(f"/w/acme/{page.format(**ids)}", follow=True)

    assert answer.status_code == 200
    assert telling(answer) == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_api_tells_nothing_to_who_judges_blindly(bob, ids, judging, endpoint):
    answer = bob.get(f"/api/v1/{endpoint.format(**ids)}")

    assert answer.status_code in {200, 403}
    assert telling(answer) == []


def test_others_are_told_everything(alice, ids, judging):
    """Else the tables above would show nothing."""
    pages = [f"/w/acme/{page.format(**ids)}" for page in PAGES] + [
        f"/api/v1/{each.format(**ids)}" for each in ENDPOINTS
    ]

    told = {word for page in pages for word in telling(alice.get(page, follow=True))}

    assert told == set(TELLTALE)


def test_keys_judge_nothing(client, acme, ids, judging):
    _, key = create_api_key(acme, ["read"])

    answer = client.get(f"/api/v1/compactions/{ids['compaction']}", headers={"X-API-Key": key})

    assert answer.json()["audit"]["forgotten"] == 77_777


def test_veil_lifts_when_the_review_is_handed_in(bob, acme, ids, judging):
    draft = Review.objects.create(
        workspace=acme, compaction_id=ids["compaction"], item_id=ids["item"], reviewer=bob.user
    )
    judging.delete()
    assert veil_of(bob.user.pk, acme) == {ids["compaction"]}

    Review.objects.filter(pk=draft.pk).update(submitted_at=timezone.now(), overall="faithful")

    assert veil_of(bob.user.pk, acme) == frozenset()
    assert "77,777" in bob.get("/w/acme/compactions/").content.decode()


def test_list_says_what_it_leaves_out_and_where_it_is(bob, ids, judging):
    worst = bob.get("/w/acme/compactions/").content.decode()
    newest = bob.get("/w/acme/compactions/?order=newest").content.decode()

    assert "Left out while you are judging it blindly: 1 compaction." in worst
    assert "hidden: you are judging it blindly" in newest
