import json

import pytest

from conversations.ingest import services
from conversations.models import Activity, Conversation, Hold, Message, RedactionPattern, RedactionRun
from conversations.redaction.detectors import DEFAULTS
from conversations.redaction.settings import detectors_of, redactor_at_ingest, redactor_of
from conversations.vocabulary import RedactionState
from conversations.web.redaction_forms import MOST_PATTERNS
from tests.factories import create_conversation, create_message

PAGE = "/w/acme/settings/redaction/"
PATTERN = {"part": "pattern", "name": "Order  number", "expression": r"ORD-\d{6}"}


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        acme.redaction_patterns.create(name=f"p{number}", expression="x", created_by=alice.user)
        acme.redaction_runs.create(state=RedactionState.DONE, requested_by=alice.user, finished_at="2026-11-20T09:00Z")

    with django_assert_num_queries(7):
        response = alice.get(PAGE)

    assert len(response.context["patterns"]) == rows


def test_page_says_what_is_chosen_and_writes_nothing(alice, acme):
    page = alice.get(PAGE).content.decode()

    assert page.count('name="detectors"') - page.count('name="detectors" value="') == 0
    assert page.count("checked") == 1 + len(DEFAULTS)
    assert "Turn redaction on first" in page
    assert not hasattr(acme, "redaction_settings")


def test_redaction_is_turned_on_and_off(alice, acme):
    alice.post(PAGE, {"part": "settings", "mode": "ingest", "detectors": ["email", "ip"]})
    acme.refresh_from_db()
    redactor = redactor_at_ingest(acme)
    assert redactor.text("a@b.org 8.8.4.4 4111111111111111").endswith("] 4111111111111111")
    assert detectors_of(acme) == ["email", "ip"]
    row = Activity.objects.get()
    assert (row.action, row.detail["mode"], row.detail["added"]) == ("redaction.changed", "ingest", ["ip"])

    alice.post(PAGE, {"part": "settings", "mode": "off"})
    acme.refresh_from_db()
    assert redactor_at_ingest(acme) is None


@pytest.mark.parametrize("posted", [{"mode": "never"}, {"mode": "ingest", "detectors": ["everything"]}, {}])
def test_settings_that_there_are_not_are_refused(alice, acme, posted):
    response = alice.post(PAGE, {"part": "settings", **posted})

    acme.refresh_from_db()
    assert (response.status_code, acme.redaction) == (422, "off")
    assert 'class="errorlist"' in response.content.decode()


def test_pattern_is_added_and_deleted(alice, acme):
    assert alice.post(PAGE, PATTERN).status_code == 302
    row = RedactionPattern.objects.get()
    assert (row.name, row.created_by) == ("order number", alice.user)
    assert redactor_of(acme).text("for ORD-123456").startswith("for [order number #")

    alice.post(f"{PAGE}patterns/{row.pk}/delete/")
    assert redactor_of(acme).text("for ORD-123456") == "for ORD-123456"
    actions = list(Activity.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["redaction.pattern_added", "redaction.pattern_deleted"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"expression": "("}, "RE2 cannot read it: missing"),
        ({"expression": "a(?=b)"}, "RE2 cannot read it: invalid perl operator"),
        ({"expression": "x*"}, "matches the empty text"),
        ({"expression": ""}, "This field is required"),
        ({"name": "Ørder"}, "Letters of a to z"),
        ({"name": "taken"}, "There is a pattern of this name"),
    ],
)
def test_pattern_that_cannot_be_is_refused_where_it_was_typed(alice, acme, changed, said):
    acme.redaction_patterns.create(name="taken", expression="x")

    response = alice.post(PAGE, PATTERN | changed)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert RedactionPattern.objects.count() == 1


def test_there_are_only_so_many_patterns(alice, acme):
    RedactionPattern.objects.bulk_create(
        RedactionPattern(workspace=acme, name=f"p{number}", expression="x") for number in range(MOST_PATTERNS)
    )

    response = alice.post(PAGE, PATTERN)

    assert (response.status_code, RedactionPattern.objects.count()) == (422, MOST_PATTERNS)


def test_sample_is_shown_as_it_would_be_stored(alice, acme):
    sample = "Order ORD-123456 for <jane@x.io>, jane@x.io"
    part = alice.post(f"{PAGE}try/", PATTERN | {"sample": sample}, headers={"HX-Request": "true"}).content.decode()
    page = alice.post(f"{PAGE}try/", PATTERN | {"sample": sample}).content.decode()

    for answer in (part, page):
        assert "Order [order number #" in answer
        assert "&lt;[email #" in answer
        assert "email × 2" in answer
    assert part.lstrip().startswith('<section id="tried"')
    assert "jane@x.io" not in part
    assert not RedactionPattern.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"expression": "(", "sample": "a@b.org"}, "RE2 cannot read it: missing"),
        ({"expression": "", "name": "", "sample": "a@b.org"}, "[email #"),
        ({"sample": "nothing"}, "Nothing is found in it."),
        ({"sample": "x" * 30_000}, "at most 20000 characters"),
        ({}, "Type a text"),
    ],
)
def test_trying_says_what_is_wrong_or_found(alice, typed, said):
    response = alice.post(f"{PAGE}try/", PATTERN | typed, headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert said in response.content.decode()


def test_what_is_stored_is_redacted_once_somebody_is_sure(alice, acme):
    acme.redaction = "ingest"
    acme.save()
    message = create_message(create_conversation(acme), text="write to jane@x.io")

    refused = alice.post(f"{PAGE}stored/", {})
    assert (refused.status_code, RedactionRun.objects.count()) == (422, 0)
    assert "Tick this first" in refused.content.decode()

    assert alice.post(f"{PAGE}stored/", {"sure": "on"}).status_code == 302
    run = RedactionRun.objects.get()
    assert (run.state, run.requested_by) == (RedactionState.DONE, alice.user)
    assert "jane" not in str(Message.objects.get(pk=message.pk).blocks)
    assert "changed 1 of" in alice.get(PAGE).content.decode()


def test_run_at_work_is_asked_for_and_failed_one_gone_on_with(alice, acme):
    run = acme.redaction_runs.create(total=200, done=100, requested_by=alice.user)
    part = alice.get(f"{PAGE}stored/", headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in part
    assert "Looked through 100 of 200 rows" in part

    RedactionRun.objects.update(state=RedactionState.FAILED, error="ValueError.")
    assert "It stopped." in alice.get(PAGE).content.decode()
    alice.post(f"{PAGE}stored/", {"again": "1"})
    run.refresh_from_db()
    assert run.state == RedactionState.DONE


def test_page_tells_what_a_hold_keeps(alice, acme):
    Hold.objects.create(workspace=acme, conversation=create_conversation(acme), reason="a case")

    assert "1 conversation under a hold stays as it is." in " ".join(alice.get(PAGE).content.decode().split())


def test_secret_sent_to_the_api_is_on_no_page(alice, acme):
    alice.post(PAGE, {"part": "settings", "mode": "ingest", "detectors": DEFAULTS})
    acme.refresh_from_db()
    event = {
        "type": "message", "id": "m", "conversation": "c", "role": "user", "content": "I am jane@x.io",
        "at": "2026-11-20T09:00:00Z",
    }  # fmt: skip
    receipt = services.accept_events(workspace=acme, body=json.dumps({"events": [event]}).encode(), claimed=True)
    services.digest_claimed([receipt.batch])

    page = alice.get(Conversation.objects.get().get_absolute_url()).content.decode()
    assert "jane@x.io" not in page
    assert "[email #" in page
