"""With redaction at display a secret shows nowhere, on no page and in no answer, but to an owner who asked for it."""

import io
import json
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from conversations import tasks
from conversations.audit.services import audit_conversation
from conversations.ingest import services
from conversations.models import (
    Activity,
    Comment,
    Compaction,
    Conversation,
    HiddenSecret,
    IncidentEvent,
    Mark,
    Membership,
    Message,
    Notice,
    RedactionRun,
    Review,
    Thread,
)
from conversations.ops import redacting
from conversations.redaction.hidden import secrets_of
from conversations.redaction.redactor import LEADS_BACK
from conversations.vocabulary import Scope
from conversations.web import revealing
from conversations.web.revealing import revealed
from tests.alerts.telling import create_incident
from tests.api.test_access import _ID, ENDPOINTS, ROUTES
from tests.audit.ledger_rows import create_entry
from tests.factories import create_api_key
from tests.ingest import test_redacting as ingest
from tests.ingest.test_digest import compaction, message
from tests.ingest.test_redacting import CARD, TOKEN
from tests.web.test_access import WORKSPACE_PAGES, address, create_rows, workspace_patterns

SETTINGS = "/w/acme/settings/redaction/"
SECRET = "ella.quint@example.org"  # no page gives it as an example
EVENTS = json.loads(json.dumps(ingest.EVENTS).replace(ingest.SECRET, SECRET))
RULE = f"Never write to {SECRET} before the release is out."
TOLD = [
    *EVENTS,
    message(10, RULE, conversation="d"),
    compaction(11, f"The release is being prepared. Ask {SECRET}.", conversation="d"),
    message(12, "Go on.", conversation="d"),
    {"type": "conversation", "conversation": "d", "title": f"Mail to {SECRET}", "agent": "coder"},
]
SECRETS = (SECRET, TOKEN, str(CARD))
TELLING = {
    "api_conversation",
    "api_messages",
    "api_message",
    "api_compaction",
    "api_findings",
    "api_dropped",
    "api_ledger",
}
ENDLESS = {"api_budget_stream"}  # tells of budgets as long as somebody listens


def tell(workspace, events):
    body = json.dumps({"events": events}).encode()
    receipt = services.accept_events(workspace=workspace, body=body, claimed=True)
    services.digest_claimed([receipt.batch])
    return receipt.batch


@pytest.fixture
def told(acme, alice, bob, victor):
    """A workspace in which a secret stands wherever one can; the primary keys for the pages' addresses."""
    rows = create_rows(acme)
    acme.redaction_patterns.update(expression="found nowhere")
    acme.holds.update(agent_name="nobody")
    batch = tell(acme, TOLD)
    conversation = Conversation.objects.get(external_id="d")
    audit_conversation(conversation)
    found = Compaction.objects.get(external_id="k11")
    said = Message.objects.get(external_id="m10")
    review = Review.objects.create(
        workspace=acme, compaction=found, reviewer=bob.user, comment=f"ask {SECRET}", submitted_at=timezone.now(),
        overall="harmful_loss",
    )  # fmt: skip
    Mark.objects.create(
        workspace=acme, review=review, compaction=found, what="missed", message=said, start=0, end=len(RULE), quote=RULE
    )
    thread = Thread.objects.create(workspace=acme, compaction=found, about=RULE, assignee=bob.user)
    Comment.objects.create(workspace=acme, thread=thread, author=alice.user, author_name="Alice", text=f"@{SECRET}")
    entry = create_entry(acme, name=RULE, text=RULE, anchors=[SECRET])
    incident = create_incident(
        acme, summary=f"Lost: {RULE}", evidence=[{"kind": "compaction", "id": found.pk, "label": RULE, "text": RULE}]
    )
    IncidentEvent.objects.create(workspace=acme, incident=incident, kind="opened", text=RULE, at=timezone.now())
    for person in (alice, bob, victor):
        Notice.objects.create(workspace=acme, user=person.user, kind="mention", text=RULE, url="/w/acme/", key="k")
    chosen = {"conversation": conversation.pk, "message": said.pk, "compaction": found.pk, "incident": incident.pk}
    return {
        **rows, **chosen, "finding": found.pk, "say": found.pk, "life_lines": conversation.pk, "batch": batch.pk,
        "conversation_figure": conversation.pk, "delete_conversation": conversation.pk, "ledger_entry": entry.pk,
        "edit_ledger_entry": entry.pk, "queue": rows["queue"], "entry": entry.pk, "rule": rows["rule"],
    }  # fmt: skip


def body_of(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    for give_back in response._resource_closers:
        give_back()
    return content.decode(errors="replace")


def pages(told):
    routes = dict(workspace_patterns())
    return {
        name: address(routes[name], "acme", told.get(name))
        for name, (method, _) in WORKSPACE_PAGES.items()
        if method == "get"
    }


def some(told):
    chosen = ("conversations", "conversation", "message", "compaction", "finding", "ledger_entry", "incident", "batch")
    return {name: url for name, url in pages(told).items() if name in chosen}


def answers(told):
    return {
        name: "/" + _ID.sub(lambda found: str(told[found[1]]), ROUTES[name])
        for name, (method, _, _) in ENDPOINTS.items()
        if method == "get" and name not in ENDLESS
    }


def shown_on(client, addresses, **asked):
    """The names of those that show a secret."""
    return {
        name
        for name, url in addresses.items()
        if any(secret in body_of(client.get(url, **asked)) for secret in SECRETS)
    }


def hide(alice, mode="display"):
    response = alice.post(SETTINGS, {"part": "settings", "mode": mode, "detectors": ["email", "github", "card"]})
    assert response.status_code == 302
    for conversation in Conversation.objects.filter(audit_due_at__isnull=False):
        audit_conversation(conversation, settled=True)


def reveal(alice, **params):
    return alice.post(f"{SETTINGS}reveal/", params)


def test_secret_shows_nowhere(told, acme, alice, victor, client):
    """An owner's pages and answers are all there are; where it showed before says that the test would see it."""
    _, key = create_api_key(acme, list(Scope))
    by_key = {"headers": {"X-API-Key": key}}
    telling = {name: url for name, url in answers(told).items() if name in TELLING}
    assert shown_on(alice, some(told)) == set(some(told))
    assert shown_on(client, telling, **by_key) == set(TELLING)

    hide(alice)
    acme.refresh_from_db()
    tell(acme, [message(20, f"And tell {SECRET}, {CARD}", conversation="d")])

    assert shown_on(alice, pages(told)) == set()
    assert shown_on(victor, some(told)) == set()
    assert shown_on(client, answers(told), **by_key) == set()


def test_searching_for_it_confirms_nothing(told, alice):
    searches = {ask: f"/w/acme/conversations/?q={ask}" for ask in (SECRET, "ella", "quint")}
    assert all("Mail to" in body_of(alice.get(url)) for url in searches.values())
    hide(alice)
    reveal(alice)

    assert not any("Mail to" in body_of(alice.get(url)) for url in searches.values())
    found = body_of(alice.get(f"/w/acme/compactions/{told['compaction']}/?q={SECRET}"))
    assert '<mark class="find' not in found


def test_owner_sees_it_for_a_while_and_it_is_written_down(told, alice, bob, monkeypatch):
    hide(alice)
    page = pages(told)["message"]
    assert SECRET not in body_of(alice.get(page))

    assert reveal(alice, next=page).url == page
    shown = alice.get(page)
    assert f">{SECRET}</span>" in body_of(shown)
    assert shown["Cache-Control"] == "no-store"
    assert SECRET not in body_of(bob.get(page))
    row = Activity.objects.get(action="redaction.revealed")
    assert (row.user, row.detail) == (alice.user, {"minutes": 15})

    later = revealing.time.time() + timedelta(minutes=15).total_seconds() + 1
    monkeypatch.setattr(revealing.time, "time", lambda: later)
    assert SECRET not in body_of(alice.get(page))


def test_owner_hides_it_again(told, alice):
    hide(alice)
    reveal(alice)
    assert shown_on(alice, some(told)) >= {"conversation", "message", "compaction", "finding", "ledger_entry"}

    reveal(alice, end="1")

    assert shown_on(alice, some(told)) == set()
    assert Activity.objects.filter(action="redaction.hidden_again").count() == 1


def test_who_is_owner_no_more_sees_nothing(told, acme, alice, bob):
    hide(alice)
    assert reveal(bob).status_code == 403
    reveal(alice)
    Membership.objects.filter(workspace=acme, user=alice.user).update(role="admin")

    assert shown_on(alice, some(told)) == set()


def test_nothing_is_revealed_where_nothing_is_hidden(acme, alice):
    assert "Show hidden secrets" not in body_of(alice.get("/w/acme/"))
    reveal(alice)

    assert not Activity.objects.filter(action="redaction.revealed").exists()


def test_places_are_right(told, alice):
    """Findings, marks and what is selected on the page."""
    hide(alice)
    reveal(alice)
    mark = Mark.objects.get()
    text = Message.objects.get(pk=mark.message_id).blocks[0]["text"]

    assert text[mark.start : mark.end] == mark.quote == text
    said = {"what": "missed", "words": f"write to {SECRET} before", "message": str(mark.message_id)}
    assert alice.post(f"/w/acme/compactions/{told['compaction']}/review/mark/", said).status_code == 303
    mine = Mark.objects.exclude(pk=mark.pk).get()
    assert text[mine.start : mine.end] == mine.quote
    assert LEADS_BACK.search(mine.quote)


def test_everything_is_whole_again_when_it_is_turned_off(told, acme, alice):
    before = list(Message.objects.order_by("pk").values_list("blocks", "size", "excerpt"))
    told_first = shown_on(alice, some(told))
    hide(alice)
    assert HiddenSecret.objects.exists()

    hide(alice, "off")

    after = list(Message.objects.order_by("pk").values_list("blocks", "size", "excerpt"))
    whole = [(json.loads(json.dumps(blocks).replace(f'"{CARD}"', str(CARD))), *_) for blocks, *_ in after]
    assert [each[0] for each in whole] == [each[0] for each in before]
    assert shown_on(alice, some(told)) == told_first
    assert not HiddenSecret.objects.exists()
    assert not tell(acme, [TOLD[1], message(30)]).problems.exists(), "known again"


def test_other_detectors_hide_other_things(told, alice, acme):
    hide(alice)
    alice.post(SETTINGS, {"part": "pattern", "name": "release", "expression": "release"})
    assert "[release #" in str(Message.objects.get(external_id="m10").blocks)

    pattern = acme.redaction_patterns.get(name="release")
    alice.post(f"{SETTINGS}patterns/{pattern.pk}/delete/")

    blocks = str(Message.objects.get(external_id="m10").blocks)
    assert "the release is out" in blocks
    assert SECRET not in blocks


def test_what_was_hidden_is_taken_out_for_good_when_that_is_wanted(told, alice):
    hide(alice)
    hide(alice, "ingest")
    assert HiddenSecret.objects.exists(), "until somebody is sure"

    alice.post(f"{SETTINGS}stored/", {"sure": "on"})

    assert not HiddenSecret.objects.exists()
    assert not LEADS_BACK.search(str(list(Message.objects.values_list("blocks"))))
    assert shown_on(alice, some(told)) == set()


@pytest.mark.parametrize("state", ["running", "failed"])
def test_what_is_being_hidden_is_not_taken_out_for_good_before_somebody_is_sure(told, acme, alice, state):
    hide(alice)
    acme.refresh_from_db()
    RedactionRun.objects.all().delete()
    run = redacting.begin(acme, alice.user)  # other detectors, say: it has got some way when the setting is changed
    renewal = redacting.Renewal(acme)
    assert redacting._step(run, renewal)
    RedactionRun.objects.filter(pk=run.pk).update(state=state)

    hide(alice, "ingest")
    tasks.resume_redactions()
    alice.post(f"{SETTINGS}stored/", {"again": "1"})

    assert not redacting._step(run, renewal), "its worker stops"
    polled = alice.get(f"{SETTINGS}stored/", headers={"HX-Request": "true"})
    assert "It was ended where it was" in polled.text
    assert HiddenSecret.objects.exists()
    hide(alice)
    hide(alice, "off")
    assert SECRET in str(Message.objects.get(external_id="m10").blocks)


def test_bytes_are_kept_and_can_be_digested_again(told, acme, alice):
    hide(alice)
    acme.refresh_from_db()
    batch = tell(acme, [message(40, f"ask {SECRET}", conversation="d")])
    before = Message.objects.get(external_id="m40").blocks

    assert batch.chunks.exists()
    assert alice.post(f"/w/acme/batches/{batch.pk}/redigest/").status_code == 302
    services.digest_claimed([batch])

    assert Message.objects.get(external_id="m40").blocks == before


def test_what_was_hidden_goes_with_its_conversation(told, acme, alice):
    hide(alice)
    gone = Conversation.objects.get(external_id="d")
    assert HiddenSecret.objects.filter(conversation=gone).exists()

    alice.post(f"/w/acme/conversations/{gone.pk}/delete/", {"sure": "on"})

    assert not Conversation.objects.filter(pk=gone.pk).exists()
    assert not HiddenSecret.objects.filter(conversation=gone.pk).exists()


def test_owners_find_the_conversations_of_a_person_that_is_hidden(told, acme, alice):
    hide(alice)
    for role, finds in (("owner", {"c", "d"}), ("admin", set())):
        Membership.objects.filter(workspace=acme, user=alice.user).update(role=role)
        alice.post("/w/acme/settings/deletions/", {"texts": SECRET.upper()})

        found = acme.deletions.latest("pk").targets.values_list("conversation__external_id", flat=True)
        assert set(found) == finds


def test_secrets_are_encrypted_and_follow_the_secret_key(told, acme, alice, settings):
    hide(alice)
    assert not any(SECRET in sealed for sealed in HiddenSecret.objects.values_list("sealed", flat=True))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    call_command("reseal", stdout=io.StringIO())
    settings.SECRET_KEY_FALLBACKS = []

    placeholders = HiddenSecret.objects.values_list("placeholder", flat=True)
    assert set(secrets_of(acme, placeholders).values()) == set(SECRETS)


def test_sample_on_the_settings_page_tells_no_stored_placeholder(told, alice):
    """Else an admin could try what somebody's secret is."""
    hide(alice)
    sample = {"name": "x", "expression": "x", "sample": f"to {SECRET}"}
    tried = body_of(alice.post(f"{SETTINGS}try/", sample, headers={"HX-Request": "true"}))

    stored = LEADS_BACK.search(str(Message.objects.get(external_id="m10").blocks))[0]
    assert re.search(r"\[email #[0-9a-f]{6}\]", tried)
    assert stored[:-7] not in tried


KEY = "[email #a1b2c3d4e5f6]"


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (f"<p>{KEY}</p>", f'<p><span class="revealed" title="{KEY}">a&lt;b@x.io</span></p>'),
        (f'<a title="{KEY}">x</a>', f'<a title="{KEY}">x</a>'),
        (f"<textarea>{KEY}</textarea>", f"<textarea>{KEY}</textarea>"),
        (f"<title>{KEY}</title><p>x</p>", f"<title>{KEY}</title><p>x</p>"),
        ("[email #000000000000]", "[email #000000000000]"),
        ("[email #a1b2c3]", "[email #a1b2c3]"),
    ],
)
def test_only_text_is_replaced(html, shown):
    assert revealed(html, {KEY: "a<b@x.io"}) == shown
