"""Queues' pages in a real browser: usable where people differ; the form counts as it is filled in."""

import pytest
from playwright.sync_api import expect

from conversations.review.places import claim_next
from conversations.review.services import open_review, save_review, save_verdict, submit
from tests.e2e.browsing import unusable
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding

ITEMS = 3
LIST = "/w/acme/review/"


@pytest.fixture
def queue(acme, live_server):
    queue = create_queue(acme, instructions="Look for **rules** first.\n\n- prohibitions\n- figures")
    for number in range(ITEMS):
        conversation = create_conversation(acme, title=f"Migrate billing {number}")
        dropped = [create_message(conversation, "Never write to ledger_v1.")]
        compaction = create_compaction(conversation, "The port is 8443.", dropped=dropped)
        create_finding(compaction, said=dropped[0], text="Never write to ledger_v1")
        create_audit(compaction)
        create_item(queue, compaction, priority=ITEMS - number)
    return queue


def test_what_people_differ_on_is_usable_by_everybody(context, as_member, alice, queue):
    queue.reviewers_per_item = 2
    queue.save()
    for name, overall, answer in (("dora", "faithful", "not_lost"), ("emil", "harmful_loss", "agree")):
        user = create_reviewer(alice.workspace, name)
        item = claim_next(queue, user)
        review = open_review(compaction=item.compaction, user=user, item=item)
        save_verdict(review, None, fact_id="fact-1", answer=answer)
        save_review(review, None, overall=overall, comment=f"It looks *{overall}* to me.")
        submit(review, None)
    claim_next(queue, alice.user)
    as_member(alice)
    page = context.new_page()

    for address in (f"{LIST}{queue.pk}/", f"{LIST}items/{item.pk}/settle/"):
        page.goto(address)
        assert unusable(page) == [], address


def test_form_counts_what_would_flow_in_while_it_is_typed(context, as_member, alice, queue):
    as_member(alice)
    page = context.new_page()
    page.goto(f"{LIST}new/")
    page.get_by_label("Name", exact=True).first.fill("Random half")

    page.get_by_label("Of these").select_option("random")
    page.get_by_label("Random share").fill("100")

    told = f"{ITEMS} compactions would flow in now, of {ITEMS} that fit"
    expect(page.locator("#preview")).to_contain_text(told)
