from datetime import UTC, datetime, timedelta

import pytest

from conversations.alerts.channels.sealing import unseal
from conversations.alerts.incidents import record_signals
from conversations.models import Activity, Channel, Delivery, Silence
from tests.alerts.conftest import receiver, receiving  # noqa: F401 -- fixtures
from tests.alerts.telling import AT, create_channel, create_rule, signal

LIST = "/w/acme/settings/channels/"
SECRET = "https://hooks.example.org/t0ps3cret"
FORM = {"name": "#agents", "address": SECRET, "is_on": "on", "digest_minutes": "0", "time_zone": "UTC"}
SILENCES = "/w/acme/alerts/silences/"


@pytest.fixture
def webhook(acme):
    return create_channel(acme, "webhook", name="hook", address=SECRET, shown_address="https://hooks.example.org/…")


def test_a_webhook_is_made_and_its_key_shown_once(acme, alice):
    response = alice.post(f"{LIST}new/?kind=webhook", FORM)
    channel = Channel.objects.get()
    key = unseal(channel.sealed).signing_key

    assert unseal(channel.sealed).address == SECRET
    assert channel.shown_address == "https://hooks.example.org/…"
    assert key in response.content.decode()
    assert key not in alice.get(f"{LIST}{channel.pk}/").content.decode()


@pytest.mark.parametrize("host", ["127.0.0.1:9", "[::1]", "10.1.2.3", "2130706433", "LOCALHOST.", "169.254.169.254"])
def test_a_webhook_to_a_private_address_is_refused_when_it_is_written(alice, settings, host):
    fields = FORM | {"address": f"http://{host}/hook"}

    refused = alice.post(f"{LIST}new/?kind=webhook", fields)

    assert refused.status_code == 422
    assert "OBSERVATORY_CHANNEL_NETWORKS" in refused.content.decode()
    settings.CHANNEL_NETWORKS = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "169.254.0.0/16")
    alice.post(f"{LIST}new/?kind=webhook", fields)
    assert Channel.objects.count() == 1


def test_no_page_or_activity_tells_the_address(acme, alice, webhook):
    alice.post(f"{LIST}{webhook.pk}/", FORM | {"address": f"{SECRET}2"})

    for path in (LIST, f"{LIST}{webhook.pk}/"):
        assert "t0ps3cret" not in alice.get(path).content.decode()
    assert "t0ps3cret" not in str(list(Activity.objects.values_list()))
    webhook.refresh_from_db()
    assert unseal(webhook.sealed).address == f"{SECRET}2"


def test_an_empty_address_keeps_the_one_that_is_there(alice, webhook):
    before = unseal(webhook.sealed)

    response = alice.post(f"{LIST}{webhook.pk}/", FORM | {"name": "renamed", "address": ""})

    webhook.refresh_from_db()
    assert (response.status_code, webhook.name, unseal(webhook.sealed)) == (302, "renamed", before)


def test_a_new_signing_key_replaces_the_old_one(alice, webhook):
    before = unseal(webhook.sealed).signing_key

    response = alice.post(f"{LIST}{webhook.pk}/", FORM | {"address": "", "renew_key": "on"})

    webhook.refresh_from_db()
    assert unseal(webhook.sealed).signing_key != before
    assert unseal(webhook.sealed).signing_key in response.content.decode()


def test_switching_on_forgets_why_it_was_off(alice, webhook):
    Channel.objects.update(is_on=False, off_reason="It answered 410.")

    alice.post(f"{LIST}{webhook.pk}/", FORM | {"address": ""})

    webhook.refresh_from_db()
    assert (webhook.is_on, webhook.off_reason) == (True, "")


@pytest.mark.parametrize(
    ("kind", "changed", "field"),
    [
        ("webhook", {"name": ""}, "name"),
        ("webhook", {"name": "hook"}, "name"),
        ("webhook", {"address": ""}, "address"),
        ("webhook", {"address": "hooks.example.org"}, "address"),
        ("webhook", {"address": "ftp://hooks.example.org/"}, "address"),
        ("apprise", {"address": "dbus://"}, "address"),
        ("apprise", {"address": "slack://"}, "address"),
        ("webhook", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("webhook", {"quiet_from": "22:00"}, "quiet_to"),
        ("webhook", {"escalate_after_minutes": "5"}, "escalate_to"),
        ("webhook", {"most_an_hour": "0"}, "most_an_hour"),
        ("webhook", {"digest_minutes": "-1"}, "digest_minutes"),
        ("in_app", {"roles": ["king"]}, "roles"),
    ],
)
def test_form_says_what_is_wrong(acme, alice, webhook, kind, changed, field):
    response = alice.post(f"{LIST}new/?kind={kind}", FORM | changed)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Channel.objects.count() == 1


def test_a_channel_escalates_within_its_workspace_alone(acme, globex, alice):
    foreign = create_channel(globex)

    response = alice.post(
        f"{LIST}new/?kind=in_app", FORM | {"escalate_after_minutes": "5", "escalate_to": str(foreign.pk)}
    )

    assert list(response.context["form"].errors) == ["escalate_to"]


def test_a_test_says_what_came_of_it(alice, acme, receiver):  # noqa: F811 -- the fixture
    channel = create_channel(acme, "webhook", address=receiver.url)

    said = [alice.post(f"{LIST}{channel.pk}/test/", follow=True).content.decode()]
    receiver.answer(500)
    said.append(alice.post(f"{LIST}{channel.pk}/test/", follow=True).content.decode())

    assert "The test was taken." in said[0]
    assert "The test did not arrive. It answered 500." in said[1]


def test_what_was_given_up_is_sent_again(alice, acme, webhook):
    record_signals(workspace=acme, rule=create_rule(acme, [webhook]), signals=[signal()], at=AT)
    Delivery.objects.update(state="dead", attempts=12, last_error="It answered 500.")
    assert "Send 1 given up again" in alice.get(f"{LIST}{webhook.pk}/").content.decode()

    alice.post(f"{LIST}{webhook.pk}/replay/")

    assert Delivery.objects.values_list("state", "attempts").get() == ("failed", 0)


def test_deleting_takes_its_deliveries_along(alice, webhook):
    alice.post(f"{LIST}{webhook.pk}/delete/")

    assert not Channel.objects.exists()
    assert Activity.objects.get().action == "channel.deleted"


# --- silences -------------------------------------------------------------------------------------------------------

SILENCE = {"reason": "maintenance", "time_zone": "Europe/Berlin"}


def test_a_silence_is_by_the_clocks_of_its_zone(acme, bob):
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=400)
    winter = day.replace(month=1, day=15)

    bob.post(SILENCES, SILENCE | {"starts_at": f"{winter:%Y-%m-%d}T10:00", "ends_at": f"{winter:%Y-%m-%d}T12:00"})

    silence = Silence.objects.get()
    assert (silence.starts_at, silence.ends_at) == (winter.replace(hour=9), winter.replace(hour=11))


def test_a_weekly_silence_is_made_and_ended(acme, bob):
    bob.post(SILENCES, SILENCE | {"weekdays": ["0", "4"], "from_time": "18:00", "to_time": "06:00"})
    silence = Silence.objects.get()
    assert (silence.weekdays, silence.ends_at) == ([0, 4], None)
    assert "Monday, Friday" in bob.get(SILENCES).content.decode()

    bob.post(f"{SILENCES}{silence.pk}/end/")

    silence.refresh_from_db()
    assert silence.ends_at is not None
    assert "None: whatever fires is told." in bob.get(SILENCES).content.decode()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"ends_at": "2020-01-01T10:00"}, "ends_at"),
        ({"weekdays": ["0"]}, "weekdays"),
        ({"from_time": "10:00", "to_time": "11:00"}, "weekdays"),
        ({"weekdays": ["7"], "from_time": "10:00", "to_time": "11:00"}, "weekdays"),
    ],
)
def test_form_of_a_silence_says_what_is_wrong(acme, bob, changed, field):
    response = bob.post(SILENCES, SILENCE | changed)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]


def test_viewers_silence_nothing(acme, victor):
    assert victor.post(SILENCES, SILENCE).status_code == 403
    assert "Add a silence" not in victor.get(SILENCES).content.decode()
