import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from conversations.alerts.evaluation import definition_of
from conversations.alerts.metrics import METRICS
from conversations.alerts.preview import preview
from conversations.alerts.services import FIELDS
from conversations.alerts.spec import RuleSpec, export_rules, import_rules, spec_of
from conversations.api import rules
from conversations.api.rules import MOST_BYTES, READ_ONLY, RuleSerializer, read_rule
from conversations.models import Activity, Incident, Rule, RuleProgress
from tests.alerts.rows import compacted
from tests.alerts.telling import create_channel, create_incident, create_rule
from tests.api.reading import READ, Reader

SPEC = {"name": "Forgotten", "metric": "forgotten", "warning": 5}
DAY = timedelta(days=1)


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def manager(client, acme):
    return Reader(client, acme, ("read", "manage"))


def send(reader, method, path, body=None):
    content = body if isinstance(body, bytes) else json.dumps(body)
    call = getattr(reader.client, method)
    return call(READ + path, content, content_type="application/json", headers=reader.headers)


# --- read -------------------------------------------------------------------------------------------------------------


def test_rules_are_listed_and_filtered(reader, acme, globex):
    first = create_rule(acme, [create_channel(acme, name=name) for name in "ba"], group_by="agent")
    off = create_rule(acme, enabled=False, metric="harm")
    create_rule(globex)

    def ids(query):
        return [each["id"] for each in reader.walk(f"/rules?{query}")]

    assert ids("limit=1") == [first.pk, off.pk]
    assert ids("enabled=true") == ids("metric=forgotten") == [first.pk]
    assert reader.get("/rules?metric=joy").status_code == 422
    row = reader.json(f"/rules/{first.pk}")
    assert (row["channels"], row["group_by"], row["warning"], row["clear"]) == (["a", "b"], "agent", 5, None)
    assert row["url"] == f"/w/acme/alerts/rules/{first.pk}/"
    assert reader.json(f"/rules/{off.pk}")["group_by"] is None


def test_rule_says_how_far_it_is_evaluated(reader, acme):
    rule = create_rule(acme)
    new = reader.json(f"/rules/{rule.pk}")
    assert (new["evaluated_at"], new["problem"]) == (None, "")

    RuleProgress.objects.create(workspace=acme, rule=rule, evaluated_at=timezone.now(), problem="Too slow.")

    row = reader.json(f"/rules/{rule.pk}")
    assert row["evaluated_at"]
    assert row["problem"] == "Too slow."


def test_answer_has_the_fields_of_files(db):
    assert {*RuleSerializer().fields} == {*RuleSpec.__struct_fields__, *READ_ONLY} == {*FIELDS, "channels", *READ_ONLY}


def test_list_is_exported(reader, acme):
    create_rule(acme, name="=1+1")

    assert "'=1+1" in reader.text("/rules?format=csv")


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(reader, acme, rows, django_assert_num_queries):
    reader.get("/rules")  # notes when the key was used
    for _ in range(rows):
        create_rule(acme, [create_channel(acme)])

    with django_assert_num_queries(3):  # the key, the rules, their channels
        assert len(reader.json("/rules")["results"]) == rows


# --- make, change, delete ---------------------------------------------------------------------------------------------


def test_rule_is_made_changed_and_deleted(manager, acme):
    channel = create_channel(acme, name="#agents")

    made = send(manager, "post", "/rules", {**SPEC, "group_by": "agent", "channels": ["#agents", "#agents"]})
    rule = Rule.objects.get()
    assert (made.status_code, made.json()["id"], made.json()["channels"]) == (201, rule.pk, ["#agents"])
    assert (rule.group_by, list(rule.channels.all()), rule.created_by) == ("agent", [channel], None)

    changed = send(manager, "put", f"/rules/{rule.pk}", {**SPEC, "critical": 9})
    assert (changed.status_code, changed.json()["critical"]) == (200, 9)
    assert (changed.json()["group_by"], changed.json()["channels"]) == (None, [])  # left out is as it usually is

    assert send(manager, "delete", f"/rules/{rule.pk}").status_code == 204
    assert not Rule.objects.exists()
    found = Activity.objects.order_by("id")
    assert [each.action for each in found] == ["rule.made", "rule.changed", "rule.deleted"]
    assert all(each.api_key for each in found)


def test_what_is_answered_may_be_sent_back(manager, acme):
    rule = create_rule(acme, [create_channel(acme)], group_by="version", remind_minutes=60, clear=3)
    before = spec_of(rule, [channel.name for channel in rule.channels.all()])
    row = manager.json(f"/rules/{rule.pk}")

    answer = send(manager, "put", f"/rules/{rule.pk}", row)

    assert answer.status_code == 200
    after = Rule.objects.get()
    assert spec_of(after, [channel.name for channel in after.channels.all()]) == before


def test_files_and_rest_make_the_same_rule(manager, acme, globex):
    fields = {**SPEC, "aggregation": "share", "window_minutes": 360, "agent_name": "coder", "no_data": "tell"}
    send(manager, "post", "/rules", fields)

    import_rules(globex, json.dumps({"rules": [fields]}), "tests")

    assert export_rules(acme) == export_rules(globex)


def test_what_is_switched_off_ends_what_it_told_of(manager, acme):
    rule = create_rule(acme)
    create_incident(acme, rule=rule)

    send(manager, "put", f"/rules/{rule.pk}", {**SPEC, "enabled": False})

    assert Incident.objects.get().state == "resolved"


WRONG = [
    ({"name": ""}, "name"),
    ({"name": "a\0"}, "name"),
    ({"name": "Taken"}, "name"),
    ({"metric": "joy"}, "metric"),
    ({"metric": None}, "metric"),
    ({"aggregation": "sums"}, "aggregation"),
    ({"aggregation": "count"}, "aggregation"),
    ({"warning": None}, "warning"),
    ({"warning": 10**400}, "warning"),
    ({"warning": "5"}, "warning"),
    ({"critical": 4}, "critical"),
    ({"in_a_row": 10**30}, "in_a_row"),
    ({"remind_minutes": 0}, "remind_minutes"),
    ({"group_by": "colour"}, "group_by"),
    ({"fact_kind": "feeling"}, "fact_kind"),
    ({"channels": ["#nowhere"]}, "channels"),
    ({"channels": [1]}, "channels[0]"),
    ({"treshold": 5}, "treshold"),
]


@pytest.mark.parametrize(("fields", "at"), WRONG)
@pytest.mark.parametrize("method", ["post", "put"])
def test_what_is_wrong_is_named_and_nothing_is_stored(manager, acme, method, fields, at):
    create_rule(acme, name="Taken")
    rule = create_rule(acme, name="Mine", warning=1)

    answer = send(manager, method, "/rules" if method == "post" else f"/rules/{rule.pk}", SPEC | fields)

    assert answer.status_code == 422, answer.content
    error = answer.json()["error"]
    assert error["at"] == at
    assert error["message"]
    assert error["mend"]
    assert sorted(Rule.objects.values_list("name", "warning")) == [("Mine", 1), ("Taken", 5)]
    assert not Activity.objects.exists()


@pytest.mark.parametrize("name", ["name", "metric"])
def test_missing_field_is_named(manager, name):
    answer = send(manager, "post", "/rules", {key: value for key, value in SPEC.items() if key != name})

    assert (answer.status_code, answer.json()["error"]["at"]) == (422, name)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"name": "\\ud800"}', b'{"warning": 1e999}', b"[" * 50_000]
)
@pytest.mark.parametrize("path", ["/rules", "/rules/preview"])
def test_body_that_is_no_rule_is_refused(manager, path, body):
    answer = send(manager, "post", path, body)

    assert answer.status_code == 422
    assert answer.json()["error"]["mend"]


def test_long_body_is_refused(manager):
    assert send(manager, "post", "/rules", SPEC | {"note": "x" * MOST_BYTES}).status_code == 413


def test_name_that_is_taken_meanwhile_is_named(manager, acme, monkeypatch):
    def overtaken(request):
        create_rule(acme, name=SPEC["name"])
        monkeypatch.setattr("conversations.alerts.spec.wrong_with", lambda _: [])
        return read_rule(request)

    monkeypatch.setattr(rules, "read_rule", overtaken)

    answer = send(manager, "post", "/rules", SPEC)

    assert (answer.status_code, answer.json()["error"]["at"]) == (422, "name")
    assert answer.json()["error"]["mend"]


# --- preview ----------------------------------------------------------------------------------------------------------


def test_preview_says_when_it_would_have_fired(reader, acme):
    now = timezone.now()
    first = compacted(acme, at=now - 20 * DAY, forgotten=7)
    compacted(acme, at=now - 2 * DAY, forgotten=1)
    last = compacted(acme, at=now - DAY, forgotten=9, agent="helper")

    body = send(reader, "post", "/rules/preview", {"metric": "forgotten", "warning": 5, "group_by": "agent"}).json()

    assert (body["outcome"], body["matched"], body["fired"], body["groups"]) == ("fires", 3, 2, 2)
    assert (body["worst"], body["events"], body["cut"]) == (9, "compaction", False)
    assert "forgotten" in body["sentence"]
    assert [(each["group"], each["peak"]) for each in body["intervals"]] == [("helper", 9), ("coder", 7)]
    assert [place["id"] for each in body["intervals"] for place in each["evidence"]] == [last.pk, first.pk]
    week = send(reader, "post", "/rules/preview?days=7", {"metric": "forgotten", "warning": 5}).json()
    assert (week["matched"], week["fired"]) == (2, 1)
    assert not Rule.objects.exists()
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("fields", "outcome", "matched", "others"),
    [
        ({"warning": 50}, "would_not_fire", 1, 0),
        ({"agent_name": "coda", "warning": 5}, "nothing_matched", 0, 1),
        ({"metric": "arrivals", "aggregation": "count", "direction": "below", "warning": 1}, "fires", 0, 0),
    ],
)
def test_preview_tells_nothing_matched_from_would_not_fire(reader, acme, fields, outcome, matched, others):
    compacted(acme, at=timezone.now() - DAY, forgotten=7)

    body = send(reader, "post", "/rules/preview", {"metric": "forgotten", **fields}).json()

    assert (body["outcome"], body["matched"], body["others"]) == (outcome, matched, others)


def test_preview_is_that_of_the_editor_and_takes_a_stored_rule(reader, acme, globex):
    compacted(acme, at=timezone.now() - DAY, forgotten=7)
    compacted(globex, at=timezone.now() - DAY, forgotten=8)
    rule = create_rule(acme, [create_channel(acme)])

    body = send(reader, "post", "/rules/preview?days=90", reader.json(f"/rules/{rule.pk}")).json()

    shown = preview(acme, definition_of(rule), 90, timezone.now())
    assert (body["fired"], body["matched"], body["worst"]) == (shown.fired, shown.matched, shown.worst) == (1, 1, 7)


def test_preview_lists_the_newest_and_counts_all(reader, acme, monkeypatch):
    monkeypatch.setattr("conversations.api.rule_preview.MOST_TOLD", 1)
    for days in (3, 1):
        compacted(acme, at=timezone.now() - days * DAY, forgotten=days + 5)
        compacted(acme, at=timezone.now() - days * DAY + DAY / 2, forgotten=0)

    body = send(reader, "post", "/rules/preview", {"metric": "forgotten", "warning": 5}).json()

    assert (body["fired"], [each["peak"] for each in body["intervals"]]) == (2, [6])


@pytest.mark.parametrize(
    ("query", "fields", "at"),
    [("?days=8", {}, "days"), ("?day=7", {}, "day"), ("", {"warning": None}, "warning"), ("", {"x": 1}, "x")],
)
def test_preview_names_what_is_wrong(reader, query, fields, at):
    answer = send(reader, "post", f"/rules/preview{query}", SPEC | fields)

    assert (answer.status_code, answer.json()["error"]["at"]) == (422, at)
    assert answer.json()["error"]["mend"]


# --- docs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_documented(name):
    assert f"`{name}`" in Path("docs/alerts.md").read_text()
