"""What somebody judges blindly shows nowhere: pages and endpoints that tell of findings, as that person sees them."""

import re
from datetime import timedelta

import pytest
from django.urls import resolve
from django.utils import timezone

from conversations.api import urls as api
from conversations.models import Reservation, Review
from conversations.review.veiling import veil_of
from tests.audit.ledger_rows import create_check, create_entry
from tests.factories import create_api_key, create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue, create_reviewer, handed_in
from tests.web.audited import create_addition, create_audit, create_finding, create_life_line
from tests.web.test_access import WORKSPACE_PAGES

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
    "compactions/{copy}/",
    "compactions/{copy}/facts/1/",
    "conversations/{fork}/",
    "conversations/{fork}/figure.json",
    "conversations/{fork}/facts/",
    "messages/{message}/",
    "savings/",
    "conversations/{conversation}/savings/",
    "review/agreement/",
    "review/auditor/",
    "review/digest/2026-W47/",
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
    "conversations/{conversation}/timeline",
    "conversations/{fork}/compactions",
    "conversations/{fork}/life-lines",
    "compactions/{copy}",
    "compactions/{copy}/findings",
    "compactions/{copy}/ledger",
    "compactions/{compaction}/dropped",
    "compactions/{compaction}/kept",
    "compactions?found=forgotten",
    "conversations",
    "conversations/{conversation}/messages",
    "messages/{message}",
    "evaluation-set",
    "evaluation-set?texts=true&names=true",
    "evaluation-set/card",
    "queues",
    "queues/{queue}",
    "ledger",
    "ledger/{entry}",
    "ledger/{entry}/checks",
    "queues/{queue}/items",
    "reviews",
]
#: Pages that are read, and tell of no compaction: of settings, people, money, batches, alert rules, or one's own words.
#: Incidents are told to everybody, because whoever is on call must see them.
TELLING_OF_NO_COMPACTION = {
    "activity", "activity_export", "alerts", "api_keys", "assign_thread", "batch", "budget", "budgets", "channel",
    "channels", "connect", "connect_waiting", "conversation_tags", "delete_conversation", "delete_workspace",
    "deletion", "deletions", "edit_budget", "edit_comment", "edit_ledger_entry", "edit_queue", "export_rules", "import",
    "import_rules", "incident", "leave_workspace", "members", "new_budget", "new_channel", "new_ledger_entry",
    "new_queue", "new_rule", "open_notice", "override_budget", "prices", "redact_stored", "redaction", "remove_member",
    "retention", "rule", "rule_runs", "settings", "sign_in_provider", "silences",
    "workspace_settings",
}  # fmt: skip
#: What such a reviewer does with their item, and with those that others differ on.
OF_ONES_OWN_REVIEW = {"queue_next", "settle"}
#: Ways in, and what tells of no compaction.
ENDPOINTS_TELLING_OF_NO_COMPACTION = {
    "api_agents", "api_audit", "api_acknowledge_incident", "api_batch", "api_batch_redigest", "api_batches",
    "api_budget_status", "api_budget_stream", "api_conversation_tags", "api_docs", "api_events", "api_exchanges",
    "api_incident", "api_incidents", "api_labels", "api_reinstate_ledger_entry", "api_resolve_incident",
    "api_retire_ledger_entry", "api_rule", "api_rule_preview", "api_rule_runs", "api_rules", "api_saved", "api_savings",
    "api_schema", "api_transcripts",
}  # fmt: skip


@pytest.fixture
def ids(acme, bob):
    """Two compactions of one conversation; of the first, in a blind queue, the auditor said telling things. A forked
    session has a copy of it."""
    conversation = create_conversation(acme, agent="coder", title="Migrate billing")
    said = create_message(conversation, "Never deploy on Friday.")
    told = create_compaction(conversation, "Deploy soon.", dropped=[said])
    found_telling(told, said)
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
    queue = create_queue(acme, blind=True, reviewers_per_item=3)
    item = create_item(queue, told)
    handed_in(item, create_reviewer(acme, "ada"), comment="Zanzibar is lost.")
    fork = create_conversation(acme, agent="coder", title="Migrate billing, again")
    again = create_message(fork, "Never deploy on Friday.")
    copy = create_compaction(fork, "Deploy soon.", dropped=[again], copy_of=told)
    found_telling(copy, again)
    rows = {
        "conversation": conversation,
        "compaction": told,
        "other": other,
        "copy": copy,
        "fork": fork,
        "message": said,
        "entry": entry,
        "queue": queue,
        "item": item,
    }
    return {name: row.pk for name, row in rows.items()}


def found_telling(compaction, said):
    reason = "Zanzibar is not in the summary."
    create_finding(compaction, 1, said=said, near="Deploy", reason=reason, importance=0.77125)
    create_addition(compaction, "Deploy soon.", reason="Nobody said zanzibar.")
    create_audit(compaction, forgotten=77_777, retention=0.3125, retention_low=0.3125, retention_high=0.3125, risk=9.0)


@pytest.fixture
def judging(ids, acme, bob):
    """Bob has a place on the item."""
    soon = timezone.now() + timedelta(minutes=30)
    return Reservation.objects.create(workspace=acme, item_id=ids["item"], user=bob.user, expires_at=soon)


def telling(answer):
    text = b"".join(answer) if answer.streaming else answer.content
    return [word for word in TELLTALE if word in text.decode().lower()]


def test_pages_tell_nothing_to_who_judges_blindly(bob, ids, judging):
    answers = {page: bob.get(f"/w/acme/{page.format(**ids)}", follow=True) for page in PAGES}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert {page: found for page, answer in answers.items() if (found := telling(answer))} == {}


def test_api_tells_nothing_to_who_judges_blindly(bob, ids, judging):
    answers = {endpoint: bob.get(f"/api/v1/{endpoint.format(**ids)}") for endpoint in ENDPOINTS}

    assert {answer.status_code for answer in answers.values()} == {200, 403}
    assert {endpoint: found for endpoint, answer in answers.items() if (found := telling(answer))} == {}


def test_every_page_that_is_read_is_in_the_table():
    """A new page, or endpoint, is walked above or is said to tell of no compaction."""
    walked = {resolve(f"/w/acme/{path_of(page)}").url_name for page in PAGES}
    read = {name for name, (method, _) in WORKSPACE_PAGES.items() if method == "get"}
    told = {resolve(f"/api/v1/{path_of(endpoint)}").url_name for endpoint in ENDPOINTS}

    assert read == walked | TELLING_OF_NO_COMPACTION | OF_ONES_OWN_REVIEW
    assert {each.name for each in api.urlpatterns} == told | ENDPOINTS_TELLING_OF_NO_COMPACTION


def path_of(address):
    return re.sub(r"{\w+}", "1", address).split("?")[0]


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
    assert veil_of(bob.user.pk, acme) == {ids["compaction"], ids["copy"]}

    Review.objects.filter(pk=draft.pk).update(submitted_at=timezone.now(), overall="faithful")

    assert veil_of(bob.user.pk, acme) == frozenset()
    assert "77,777" in bob.get("/w/acme/compactions/").content.decode()


def test_list_says_what_it_leaves_out_and_where_it_is(bob, ids, judging):
    worst = bob.get("/w/acme/compactions/").content.decode()
    newest = bob.get("/w/acme/compactions/?order=newest").content.decode()

    assert "Left out while you are judging it blindly: 1 compaction." in worst
    assert "hidden: you are judging it blindly" in newest
