from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.alerts.incidents import record_signals
from conversations.models import Incident, Notice
from conversations.people.notices import notify
from tests.alerts.telling import AT, create_channel, create_incident, create_rule, create_silence, signal

LIST = "/w/acme/alerts/"
CHANGE = f"{LIST}incidents/change/"


def page_of(incident):
    return f"{LIST}incidents/{incident.pk}/"


@pytest.fixture
def count_queries(alice, django_assert_max_num_queries):
    def count_queries(path):
        with django_assert_max_num_queries(12) as queries:
            assert alice.get(path).status_code == 200
        return len(queries)

    return count_queries


def test_pages_ask_as_much_for_any_number_of_rows(acme, alice, count_queries):
    rule = create_rule(acme, [create_channel(acme)])
    silence = create_silence(acme, rule=rule)
    (incident,) = record_signals(workspace=acme, rule=rule, signals=[signal("a")], at=AT)
    notify(workspace=acme, users=[alice.user], kind="incident", text="One", url=LIST, key="1")
    paths = [LIST, page_of(incident), f"{LIST}silences/", "/w/acme/notices/", "/w/acme/settings/channels/", "/w/acme/"]
    for path in paths:
        alice.get(path)
    few = [count_queries(path) for path in paths]

    for number in range(3):
        record_signals(
            workspace=acme,
            rule=create_rule(acme, [create_channel(acme)]),
            signals=[signal(f"{number}", value=1.0)],
            at=AT,
        )
        create_silence(acme, rule=silence.rule)
        notify(workspace=acme, users=[alice.user], kind="incident", text="More", url=LIST, key=f"more {number}")

    assert [count_queries(path) for path in paths] == few


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"open", "seen"}),
        ("state=resolved", {"over"}),
        ("state=all", {"open", "seen", "over"}),
        ("severity=critical", {"open"}),
        ("mine=1", {"seen"}),
        ("state=nonsense&severity=nonsense&rule=x", {"open", "seen"}),
    ],
)
def test_list_is_filtered(acme, alice, query, shown):
    create_incident(acme, group="open", severity="critical")
    create_incident(acme, group="seen", state="acknowledged", assigned_to=alice.user)
    create_incident(acme, group="over", state="resolved", resolved_at=AT)

    rows = alice.get(f"{LIST}?{query}").context["page"].rows

    assert {row.group for row in rows} == shown


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing is open"),
        ("state=resolved", "No incident yet"),
        ("severity=critical", "Nothing matches these filters"),
    ],
)
def test_three_kinds_of_empty(acme, alice, query, words):
    assert words in alice.get(f"{LIST}?{query}").content.decode()


def test_the_bar_counts_what_is_open_and_unread(acme, globex, alice):
    create_incident(acme)
    create_incident(acme, state="resolved", resolved_at=AT)
    create_incident(globex)
    notify(workspace=acme, users=[alice.user], kind="incident", text="Look", url=LIST, key="1")

    context = alice.get("/w/acme/conversations/").context

    assert (context["open_incidents"], context["unread_notices"]) == (1, 1)


def test_page_says_what_happened_and_who_is_told(acme, alice):
    rule = create_rule(acme, [create_channel(acme, name="bell")], name="Forgetful", note="Tell it again.")
    (incident,) = record_signals(workspace=acme, rule=rule, signals=[signal("coder", value=7, threshold=5)], at=AT)

    page = alice.get(page_of(incident)).content.decode()

    for words in ("Forgetful: coder", "7 of 5.", "Tell it again.", "opened", "bell", "waits"):
        assert words in page


def test_hostile_words_are_shown_as_words(acme, alice):
    incident = create_incident(acme, group="<script>x</script>", summary="<b>bold</b>\u202e")

    page = alice.get(page_of(incident)).content.decode()

    assert "<script>x" not in page
    assert "<b>bold" not in page


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "acknowledge"}, "state", "acknowledged"),
        ({"action": "resolve"}, "state", "resolved"),
        ({"action": "assign", "user": "bob"}, "assigned_to", "bob"),
    ],
)
def test_several_are_handled_at_once(acme, bob, action, field, value):
    ids = [create_incident(acme).pk for _ in range(2)]
    if "user" in action:
        action, value = action | {"user": bob.user.pk}, bob.user

    response = bob.post(CHANGE, {"incident": ids, "page": "list", **action})

    assert response.url == LIST
    assert {getattr(incident, field) for incident in Incident.objects.all()} == {value}


def test_snoozing_and_commenting_lead_back_to_the_page(acme, bob):
    incident = create_incident(acme)
    form = {"incident": incident.pk, "page": "incident"}

    snoozed = bob.post(CHANGE, form | {"action": "snooze", "minutes": "60"})
    commented = bob.post(CHANGE, form | {"action": "comment", "text": "Mine."})

    incident.refresh_from_db()
    assert snoozed.url == commented.url == page_of(incident)
    assert incident.snoozed_until is not None
    assert "Mine." in bob.get(page_of(incident)).content.decode()


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"action": "explode"}, "action"),
        ({"action": "snooze"}, "minutes"),
        ({"action": "snooze", "minutes": "7"}, "minutes"),
        ({"action": "comment", "text": " "}, "text"),
        ({"action": "assign", "user": "999999"}, "user"),
    ],
)
def test_form_says_what_is_wrong(acme, bob, form, field):
    incident = create_incident(acme)

    response = bob.post(CHANGE, {"incident": incident.pk, "page": "incident", **form})

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not incident.events.exists()


def test_snooze_is_shown_and_ended(acme, bob):
    incident = create_incident(acme, snoozed_until=timezone.now() + timedelta(hours=1))

    assert "snoozed until" in bob.get(LIST).content.decode()
    assert "End snooze" in bob.get(page_of(incident)).content.decode()
    bob.post(CHANGE, {"incident": incident.pk, "action": "wake", "page": "incident"})
    assert "End snooze" not in bob.get(page_of(incident)).content.decode()
    assert "snoozed until" not in bob.get(LIST).content.decode()


def test_silence_begins_with_the_incident_it_was_asked_for(acme, bob):
    incident = create_incident(acme, group="coder & co")
    page = bob.get(page_of(incident)).content.decode()
    address = f"{LIST}silences/?rule={incident.rule_id}&amp;group=coder%20%26%20co"
    assert f'href="{address}#add-title"' in page

    form = bob.get(address.replace("&amp;", "&")).context["form"]

    assert (form["rule"].value(), form["group"].value()) == (str(incident.rule_id), "coder & co")
    assert bob.get(f"{LIST}silences/?rule=x&budget=999").status_code == 200


def test_incidents_of_others_are_not_handled(acme, globex, bob):
    foreign = create_incident(globex)

    bob.post(CHANGE, {"incident": foreign.pk, "action": "resolve"})

    foreign.refresh_from_db()
    assert foreign.state == "open"


def test_viewers_handle_nothing(acme, victor):
    incident = create_incident(acme)

    assert victor.post(CHANGE, {"incident": incident.pk, "action": "resolve"}).status_code == 403
    assert "Acknowledge" not in victor.get(page_of(incident)).content.decode()


def test_a_notice_is_read_by_opening_it(acme, alice, bob):
    notify(workspace=acme, users=[alice.user, bob.user], kind="incident", text="Look", url=LIST, key="1")
    notice = Notice.objects.get(user=alice.user)

    assert bob.get(f"/w/acme/notices/open/?notice={notice.pk}").url == "/w/acme/notices/"
    assert alice.get(f"/w/acme/notices/open/?notice={notice.pk}").url == LIST

    assert set(Notice.objects.filter(read_at=None).values_list("user", flat=True)) == {bob.user.pk}
    bob.post("/w/acme/notices/read/")
    assert not Notice.objects.filter(read_at=None).exists()


def test_a_notice_leads_nowhere_else(acme, alice):
    notify(workspace=acme, users=[alice.user], kind="x", text="Look", url="https://evil.example/", key="1")

    assert alice.get(f"/w/acme/notices/open/?notice={Notice.objects.get().pk}").url == "/w/acme/notices/"
