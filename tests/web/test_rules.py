from datetime import timedelta
from urllib.parse import urlencode

import msgspec
import pytest
from django.utils import timezone

from conversations.alerts.evaluation import definition_of, evaluate_rules
from conversations.alerts.preview import preview
from conversations.alerts.spec import export_rules, import_rules, wrong_with
from conversations.alerts.starting import STARTS
from conversations.alerts.steps import Told
from conversations.models import Activity, Channel, Incident, Rule, RuleProgress
from tests.alerts.rows import compacted, create_rule
from tests.audit.ledger_rows import create_entry

NEW = "/w/acme/alerts/rules/new/"
FORM = {
    "name": "Forgotten", "metric": "forgotten", "aggregation": "each", "window_minutes": "60", "direction": "above",
    "warning": "5", "critical": "", "in_a_row": "1", "clear_in_a_row": "1", "agent_name": "", "agent_version": "",
    "model": "", "fact_kind": "", "least_importance": "", "group_by": "", "clear": "", "minimum_sample": "1",
    "no_data": "ignore", "quiet_minutes": "1440", "settle_minutes": "2", "remind_minutes": "", "note": "",
}  # fmt: skip
HTMX = {"headers": {"HX-Request": "true"}}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def page(client, url=NEW, **fields):
    query = urlencode({**FORM, **fields}) if fields is not None else ""
    return client.get(f"{url}?{query}")


def test_rule_is_made_changed_copied_switched_and_deleted(alice, acme):
    channel = Channel.objects.create(workspace=acme, name="#agents", kind="in_app")
    made = alice.post(NEW, {**FORM, "channels": [channel.pk]})
    rule = Rule.objects.get()
    assert (made.status_code, rule.enabled, rule.created_by, rule.warning) == (302, True, alice.user, 5)
    assert list(rule.channels.all()) == [channel]

    address = f"/w/acme/alerts/rules/{rule.pk}/"
    assert alice.post(address, {**FORM, "warning": "7"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.warning, list(rule.channels.all())) == (7, [])

    copy = alice.get(f"{NEW}?copy={rule.pk}").context["form"]
    assert (copy["name"].value(), copy["warning"].value()) == ("Forgotten (copy)", 7)

    alice.post(f"{address}switch/", {"on": "0"})
    assert not Rule.objects.get().enabled
    alice.post(f"{address}switch/", {"on": "1"})
    assert Rule.objects.get().enabled
    alice.post(f"{address}delete/")
    assert not Rule.objects.exists()
    assert list(Activity.objects.order_by("id").values_list("action", flat=True)) == [
        "rule.made", "rule.changed", "rule.switched_off", "rule.switched_on", "rule.deleted",
    ]  # fmt: skip


def test_rule_can_be_saved_switched_off(alice):
    alice.post(f"{NEW}?off=1", FORM)

    assert not Rule.objects.get().enabled


def test_rule_without_a_channel_is_saved_before_one_is_made_for_it(alice, acme):
    assert "Save switched off and make a channel" in page(alice).text
    made = alice.post(f"{NEW}?channel=1&off=1", FORM)
    rule = Rule.objects.get()
    assert made["Location"] == f"/w/acme/settings/channels/?rule={rule.pk}"
    assert f"kind=in_app&amp;rule={rule.pk}" in alice.get(made["Location"]).content.decode()

    fields = {"name": "Bell", "is_on": "on", "digest_minutes": "0", "time_zone": "UTC"}
    saved = alice.post(f"/w/acme/settings/channels/new/?kind=in_app&rule={rule.pk}", fields)

    assert saved["Location"] == f"/w/acme/alerts/rules/{rule.pk}/"
    rule.refresh_from_db()
    assert [each.name for each in rule.channels.all()] == ["Bell"]
    assert not rule.enabled


def test_channel_is_made_for_no_rule_of_another_workspace(alice, globex):
    theirs = create_rule(globex)
    fields = {"name": "Bell", "is_on": "on", "digest_minutes": "0", "time_zone": "UTC"}

    alice.post(f"/w/acme/settings/channels/new/?kind=in_app&rule={theirs.pk}", fields)

    assert not theirs.channels.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Taken"}, "name"),
        ({"metric": "joy"}, "metric"),
        ({"warning": ""}, "warning"),
        ({"warning": "many"}, "warning"),
        ({"critical": "4"}, "critical"),
        ({"clear": "6"}, "clear"),
        ({"aggregation": "count"}, "aggregation"),
        ({"direction": "rises"}, "direction"),
        ({"metric": "rejected", "group_by": "agent"}, "group_by"),
        ({"metric": "rejected", "agent_name": "coder"}, "agent_name"),
        ({"metric": "retention", "fact_kind": "value"}, "fact_kind"),
        ({"in_a_row": "0"}, "in_a_row"),
        ({"clear_in_a_row": "101"}, "clear_in_a_row"),
        ({"window_minutes": "7"}, "window_minutes"),
    ],
)
def test_form_says_what_is_wrong(alice, acme, changed, field):
    create_rule(acme, name="Taken")

    response = alice.post(NEW, {**FORM, **changed})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Rule.objects.count() == 1


def test_figure_that_does_not_fit_is_named_in_the_words_of_the_form(alice):
    response = alice.get(f"{NEW}?{urlencode({**FORM, 'metric': 'compactions'})}")

    assert "“compactions” cannot be taken so. Choose “how many”." in response.content.decode()


def test_editor_writes_figures_as_people_do(alice, acme):
    rule = create_rule(acme, warning=5, critical=7.25)
    page = alice.get(rule.get_absolute_url()).content.decode()

    assert 'name="warning" value="5"' in page
    assert 'name="critical" value="7.25"' in page


def test_rule_leads_to_its_incidents(alice, acme):
    rule = create_rule(acme)

    assert f'href="/w/acme/alerts/?rule={rule.pk}&amp;state=all"' in alice.get(rule.get_absolute_url()).content.decode()


def test_rule_of_a_newer_version_is_shown_and_says_so(alice, acme):
    rule = create_rule(acme, metric="joy")

    for address in (rule.get_absolute_url(), "/w/acme/alerts/"):
        response = alice.get(address)
        assert response.status_code == 200
    assert "knows no metric “joy”" in response.content.decode()


def test_reviewers_see_a_rule_and_change_nothing(bob, acme):
    rule = create_rule(acme)
    address = f"/w/acme/alerts/rules/{rule.pk}/"

    assert 'formmethod="post"' not in bob.get(address).content.decode()
    for path in ("", "switch/", "delete/"):
        assert bob.post(address + path, {**FORM, "name": "Mine"}).status_code == 403
    assert Rule.objects.get().name == "Forgotten"


@pytest.mark.parametrize("start", [start.key for start in STARTS])
def test_rules_to_begin_with_are_right(alice, acme, start):
    form = alice.get(f"{NEW}?start={start}").context["form"]

    assert list(wrong_with(form.instance)) == []
    assert alice.get(f"{NEW}?start={start}").context["shown"] is not None


# --- the preview ------------------------------------------------------------------------------------------------------


def test_preview_says_when_it_would_have_fired_and_where(alice, acme):
    now = timezone.now()
    bad = compacted(acme, at=now - 3 * DAY, forgotten=9)
    compacted(acme, at=now - 3 * DAY + HOUR, forgotten=1)
    compacted(acme, at=now - 60 * DAY, forgotten=9)

    text = page(alice).content.decode()

    assert "It would have fired 1 time." in text
    assert f"/w/acme/compactions/{bad.pk}/" in text
    assert "Matched 2 compactions" in text
    assert "fired 2 times" in page(alice, days="90").content.decode()


def test_preview_has_an_address_and_is_a_part_of_its_page(alice, acme):
    part = alice.get(f"{NEW}?{urlencode(FORM)}", **HTMX).content.decode()

    assert part.lstrip().startswith("<section")
    assert 'id="preview"' in part
    assert "<html" not in part


def test_nothing_matched_is_told_apart_from_not_fired(alice, acme):
    compacted(acme, at=timezone.now() - DAY, agent="coder", forgotten=3)

    assert "It would not have fired." in page(alice).content.decode()
    assert "The nearest figure was 3 facts" in page(alice).content.decode()
    other = page(alice, agent_name="codre").content.decode()
    assert "Nothing matched." in other
    assert "There were 1 compactions in these 30 days, but none of this agent" in other
    assert "There were no reviews" in page(alice, metric="harmful_reviews", warning="0").content.decode()


def test_preview_waits_for_a_whole_rule(alice):
    text = alice.get(f"{NEW}?{urlencode({**FORM, 'warning': ''})}", **HTMX).content.decode()

    assert "Give at least one threshold." in text


def test_preview_suggests_a_threshold(alice, acme):
    for number in range(50):
        compacted(acme, at=timezone.now() - DAY + number * timedelta(minutes=1), forgotten=number % 10)

    shown = page(alice).context["shown"]

    assert (shown.suggested, shown.suggested_value) == ("9 facts", "9")


@pytest.mark.parametrize("count", [1, 3])
def test_editor_asks_as_much_for_any_number_of_events(alice, acme, count, django_assert_num_queries):
    rule = create_rule(acme)
    for number in range(count):
        compacted(acme, at=timezone.now() - number * DAY - HOUR, agent=str(number), forgotten=9)

    with django_assert_num_queries(12):
        alice.get(f"/w/acme/alerts/rules/{rule.pk}/")


def test_preview_is_what_evaluation_finds_later_on_the_same_data(acme):
    """Evaluated every few hours while the data come, some of them late; previewed when all is there."""
    now = timezone.now().replace(microsecond=0)
    rules = [
        create_rule(acme, name="each", warning=5, group_by="agent"),
        create_rule(acme, name="twice", warning=3, in_a_row=2, clear=1, quiet_minutes=600),
        create_rule(acme, name="mean", aggregation="mean", warning=4, window_minutes=180, minimum_sample=2),
        create_rule(acme, name="rises", aggregation="sum", direction="rises", warning=20, window_minutes=360),
    ]
    evaluate_rules(now - 4 * DAY)
    late = []
    for number in range(96):
        at = now - 4 * DAY + number * HOUR
        fields = {"agent": "ab"[number % 2], "forgotten": number * 7 % 11}
        if number % 5 == 0:
            late.append((at, fields))
        else:
            compacted(acme, at=at, **fields)
        if number % 9 == 8:
            evaluate_rules(at + timedelta(minutes=1))
            for when, those in late:
                compacted(acme, at=when, **those)
            late = []
    evaluate_rules(now)

    for rule in rules:
        found = {
            (each.group, each.since, each.until) for each in preview(acme, definition_of(rule), 7, now).intervals
        }  # fmt: skip
        progress = RuleProgress.objects.get(rule=rule)
        told = {
            (group, since, until)
            for group, stretches in msgspec.convert(progress.told, Told).items()
            for since, until in stretches
        }
        assert told <= found
        assert {each for each in found if each[2] is None or each[2] > progress.anchor} <= told
        assert told


# --- switching --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["switch/", "delete/"])
def test_what_a_rule_opened_ends_with_it(alice, acme, path):
    rule = create_rule(acme)
    compacted(acme, at=timezone.now() - HOUR, forgotten=9)
    evaluate_rules(timezone.now())
    assert Incident.objects.get().state == "open"

    alice.post(f"/w/acme/alerts/rules/{rule.pk}/{path}", {"on": "0"})

    assert not Incident.objects.exclude(state="resolved").exists()


def test_test_is_sent_by_the_chosen_channels_and_the_form_stays(alice, acme):
    channel = Channel.objects.create(workspace=acme, name="#agents", kind="in_app")
    answer = alice.post("/w/acme/alerts/rules/test/", {**FORM, "channels": [channel.pk], "csrfmiddlewaretoken": "x"})

    text = alice.get(answer.url).content.decode()

    assert "csrf" not in answer.url
    assert "warning=5" in answer.url
    assert "The test by “#agents”" in text


# --- as YAML ----------------------------------------------------------------------------------------------------------


def test_rules_go_out_and_come_back_as_they_were(alice, acme, globex):
    Channel.objects.create(workspace=acme, name="#agents", kind="in_app")
    Channel.objects.create(workspace=globex, name="#agents", kind="in_app")
    alice.post(NEW, {**FORM, "channels": [Channel.objects.get(workspace=acme).pk], "group_by": "agent"})
    text = alice.get("/w/acme/alerts/rules/export/").content.decode()

    assert import_rules(acme, text, "tests").unchanged == ["Forgotten"]
    assert import_rules(globex, text, "tests").made == ["Forgotten"]
    assert export_rules(globex) == text


def test_page_imports_and_says_what_is_wrong(alice, acme):
    address = "/w/acme/alerts/rules/import/"
    good = "rules:\n- {name: One, metric: forgotten, warning: 5}\n"

    assert alice.post(address, {"text": good}).status_code == 302
    assert Rule.objects.get().name == "One"
    wrong = alice.post(address, {"text": good.replace("5", "7") + "- {name: Two, metric: joy, warning: 1}\n"})
    assert wrong.status_code == 422
    assert "rule 2 (Two): metric: There is no such metric." in wrong.content.decode()
    assert Rule.objects.get().warning == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Choose a file"),
        ("rules: [", "This is not YAML"),
        ("- 1", "There are no rules in it"),
        ("rules: []", "There are no rules in it"),
        ("rules: [7]", "rule 1"),
        ("rules: [{name: A, metric: forgotten, warning: x}]", "warning"),
        ("rules: [{name: A, metric: forgotten, warning: 1, colour: red}]", "colour"),
        ("rules: [{name: A, metric: forgotten, warning: 1, channels: [none]}]", "There is no channel"),
        ("rules: [{name: A, metric: forgotten, warning: 1, window_minutes: -5}]", "window_minutes"),
        ("rules: [{name: A, metric: forgotten, warning: .nan}]", "This must be a number"),
    ],
)
def test_import_refuses_what_is_no_rule(alice, text, words):
    response = alice.post("/w/acme/alerts/rules/import/", {"text": text})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Rule.objects.exists()


def test_page_comes_before_a_preview_that_takes_seconds(alice, acme, monkeypatch):
    for number in range(3):
        compacted(acme, at=timezone.now() - timedelta(hours=1 + number), forgotten=9)
    rule = create_rule(acme)
    monkeypatch.setattr("conversations.alerts.preview.LONG", 2)

    page = alice.get(rule.get_absolute_url())
    part = alice.get(rule.get_absolute_url(), headers={"HX-Request": "true"})
    without_script = alice.get(rule.get_absolute_url(), {"wait": "1"})

    assert (page.context["shown"], page.context["waits"]) == (None, True)
    assert f'aria-busy="true" hx-get="{rule.get_absolute_url()}"' in page.content.decode()
    for response in (part, without_script):
        assert response.context["shown"].preview.matched == 3
        assert "aria-busy" not in response.content.decode()


@pytest.mark.parametrize("has_entry", [False, True])
def test_preview_says_that_the_ledger_is_empty(alice, acme, has_entry):
    if has_entry:
        create_entry(acme, name="frozen table")

    page = alice.get(f"{NEW}?start=ledger").content.decode()

    assert "Nothing matched" in page
    assert ("The ledger is empty" in page) is not has_entry


def test_rule_that_keeps_silent_afterwards_is_made_by_the_form(alice, acme):
    alice.post(NEW, {**FORM, "tells_resolved": "False"})
    alice.post(NEW, {**FORM, "name": "Other"})

    assert list(Rule.objects.order_by("id").values_list("tells_resolved", flat=True)) == [False, True]
