import logging
from datetime import UTC, datetime

import pytest

from conversations.alerts.channels import apprise_service
from conversations.alerts.channels.answers import Failed, Sent
from conversations.alerts.channels.guard import guarded
from conversations.alerts.channels.message import Message
from conversations.alerts.channels.sealing import Secret
from tests.alerts.receiver import serve

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TEST = Message(key="k", workspace="acme", at=NOW, is_test=True)


@pytest.fixture(scope="module")
def receiver():
    receiver, server = serve()
    yield receiver
    server.shutdown()
    server.server_close()


def send(receiver, *, allowed=("127.0.0.1/32",)):
    secret = Secret(address=f"{receiver.url.replace('http', 'json')}/hook/s3cret")
    with guarded(allowed) as watch:
        return apprise_service.send(secret, TEST, NOW), watch


def test_a_service_is_told(receiver):
    receiver.forget()

    assert send(receiver)[0] == Sent()
    assert receiver.bodies[0]["title"] == "Test from Observatory"


@pytest.mark.parametrize(
    ("status", "headers", "result"),
    [
        (410, {}, Failed("It answered 410: the receiver wants nothing more.", is_final=True, is_gone=True)),
        (500, {}, Failed("It answered 500.")),
        (
            302,
            {"Location": "http://127.0.0.2/"},
            Failed("It answered 302, a redirect to 127.0.0.2. Redirects are not followed.", is_final=True),
        ),
    ],
)
def test_what_the_service_answered_is_known(receiver, caplog, status, headers, result):
    receiver.forget()
    receiver.answer(status, **headers)

    with caplog.at_level(logging.DEBUG, logger="conversations"):
        assert send(receiver)[0] == result
    assert len(receiver.requests) == 1
    assert "s3cret" not in caplog.text


def test_a_private_address_is_refused(receiver):
    receiver.forget()

    result, watch = send(receiver, allowed=())

    assert isinstance(result, Failed)
    assert "private" in watch.refused
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("slack://TokenA/TokenB/TokenC/#general", ""),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", ""),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", ""),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", ""),
        ("pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7FQ", ""),
        ("opsgenie://aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", ""),
        ("mailtos://user:pass@example.org?smtp=mail.example.org&from=a@example.org", ""),
        ("dbus://", "is not one of the services"),
        ("syslog://", "is not one of the services"),
        ("file:///etc/passwd", "is not one of the services"),
        ("https://example.org/x", "only those of services"),
        ("slack://", "not a complete address"),
        ("slack://a/b/c?template=/etc/passwd", "template cannot be used"),
        ("json://example.org?retry=4", "retry cannot be used"),
        ("mailtos://u:p@example.org?smtp=m.example.org&from=a@example.org&to=a@b.de,c@d.de", "several receivers"),
    ],
)
def test_which_addresses_may_be_used(address, problem):
    found = apprise_service.problem_of(address)

    assert found == "" if problem == "" else problem in found


def test_a_page_shows_the_service_alone():
    shown = apprise_service.shown_address(
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    )

    assert shown == "Slack"
