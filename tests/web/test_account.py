import re

import pyotp
import pytest
from django.test import Client

from conversations.models import Activity, Membership, SecondFactor, Session, SignInFailures, User
from conversations.ops.accounts import create_sign_in_link
from conversations.people import second_factor as factor
from conversations.web.throttle import FAILURES_ALLOWED

PASSWORD = "a long password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture
def dora(acme):
    user = User.objects.create_user("dora@example.org", PASSWORD)
    Membership.objects.create(workspace=acme, user=user, role="viewer")
    return user


def sign_in(client, **fields):
    return client.post("/sign-in/", {"email": "dora@example.org", "password": PASSWORD, **fields})


@pytest.fixture
def browser(client, dora):
    sign_in(client)
    return client


@pytest.fixture
def codes(dora):
    """Second factor on; what comes back are the recovery codes."""
    secret = factor.new_secret()
    return factor.turn_on(dora, secret, pyotp.TOTP(secret).now())


def form(**changes):
    return {"name": "Dora", "email": "dora@example.org", "time_zone": "Europe/Berlin", **changes}


def test_own_data_is_changed(browser, dora):
    assert browser.post("/account/", form()).url == "/account/"

    dora.refresh_from_db()
    assert (dora.name, dora.time_zone) == ("Dora", "Europe/Berlin")
    assert Activity.objects.get(action="person.changed").detail == {"fields": "name, time_zone"}


def test_new_address_takes_the_password(browser, dora):
    new = form(email="d@example.net")

    assert browser.post("/account/", new).status_code == 422
    assert browser.post("/account/", new | {"current_password": "wrong"}).status_code == 422
    assert browser.post("/account/", new | {"current_password": PASSWORD}).status_code == 302

    dora.refresh_from_db()
    assert dora.email == "d@example.net"


@pytest.mark.parametrize("bad", [{"email": "ALICE@example.org"}, {"time_zone": "Mars/Olympus"}, {"email": ""}])
def test_own_data_must_be_sound(alice, browser, bad):
    assert browser.post("/account/", form(current_password=PASSWORD, **bad)).status_code == 422


def test_session_says_whence_and_how(dora):
    client = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    sign_in(client)

    [row] = client.get("/account/").context["sessions"]

    assert (row.browser, row.address, row.way, row.is_this) == ("Firefox on Linux", "192.0.2.7", "password", True)
    signed_in = Activity.objects.get(action="person.signed_in")
    assert (signed_in.user, signed_in.address, signed_in.detail) == (dora, "192.0.2.7", {"way": "password"})


def test_address_behind_a_proxy_is_the_last_it_was_told(dora, settings):
    settings.PROXY = True
    client = Client(headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9"})
    sign_in(client)

    assert client.get("/account/").context["sessions"][0].address == "203.0.113.9"


def test_proxy_headers_are_not_believed_otherwise(dora):
    client = Client(headers={"X-Forwarded-For": "203.0.113.9"})
    sign_in(client)

    assert client.get("/account/").context["sessions"][0].address == "127.0.0.1"


def test_session_elsewhere_is_ended(browser, dora):
    elsewhere, third = Client(), Client()
    sign_in(elsewhere)
    sign_in(third)
    rows = {row.is_this: row.ref for row in browser.get("/account/").context["sessions"]}

    browser.post("/account/sessions/end/", {"ref": rows[False]})
    assert sorted(each.get("/w/acme/").status_code for each in (elsewhere, third)) == [200, 302]
    browser.post("/account/sessions/end/")

    assert {each.get("/w/acme/").status_code for each in (elsewhere, third)} == {302}
    assert browser.get("/w/acme/").status_code == 200


def test_nobody_ends_the_sessions_of_others(browser, alice):
    [other] = [row for row in Session.objects.all() if row.user == alice.user]
    ref = alice.get("/account/").context["sessions"][0].ref

    page = browser.post("/account/sessions/end/", {"ref": ref}, follow=True)

    assert "There was no such session" in page.content.decode()
    assert Session.objects.filter(session_key=other.session_key).exists()


def test_new_password_ends_the_other_sessions(browser, dora):
    elsewhere = Client()
    sign_in(elsewhere)

    browser.post("/password/", {"password": "another long one"})

    assert Session.objects.filter(user=dora).count() == 1
    assert elsewhere.get("/w/acme/").status_code == 302
    assert browser.get("/w/acme/").status_code == 200


def test_last_seen_is_told_to_five_minutes(browser, dora, django_assert_num_queries, monkeypatch):
    before = Session.objects.get(user=dora).seen_at
    browser.get("/w/acme/settings/members/")
    assert Session.objects.get(user=dora).seen_at == before

    session = browser.session
    session["seen"] -= 301
    session.save()
    browser.get("/w/acme/settings/members/", headers={"User-Agent": FIREFOX})

    row = Session.objects.get(user=dora)
    assert (row.seen_at >= before, row.browser) == (True, FIREFOX)


def test_second_factor_is_turned_on_with_a_first_code(browser, dora):
    page = browser.get("/account/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    assert 'src="data:image/svg+xml' in page

    assert browser.post("/account/second-factor/", {"code": "000000x"}).status_code == 422
    done = browser.post("/account/second-factor/", {"code": pyotp.TOTP(secret).now()})

    assert len(done.context["codes"]) == factor.RECOVERY_CODES
    assert done.context["codes"][0] in done.content.decode()
    assert done.context["codes"][0] not in browser.get("/account/second-factor/").content.decode()
    assert secret not in browser.get("/account/second-factor/").content.decode()


@pytest.mark.parametrize("way", ["password", "link"])
def test_second_factor_is_asked_for(client, dora, codes, way):
    if way == "password":
        first = sign_in(client, next="/w/acme/compactions/")
    else:
        first = client.post(f"/sign-in/{create_sign_in_link(dora)}/")

    assert first.url == "/sign-in/code/"
    assert client.get("/w/acme/").status_code == 302
    assert client.post("/sign-in/code/", {"code": "123"}).status_code == 422
    done = client.post("/sign-in/code/", {"code": codes[0]})

    assert done.url == ("/w/acme/compactions/" if way == "password" else "/")
    assert client.get("/w/acme/").status_code == 200
    assert client.get("/account/").context["sessions"][0].way == way


def test_code_page_is_only_for_those_with_the_first_factor(client, dora, codes):
    assert client.get("/sign-in/code/").url == "/sign-in/"
    assert client.post("/sign-in/code/", {"code": codes[0]}).url == "/sign-in/"


def test_half_signed_in_runs_out(client, dora, codes):
    sign_in(client)
    session = client.session
    session["half_signed_in"] = session["half_signed_in"] | {"until": 0}
    session.save()

    assert client.post("/sign-in/code/", {"code": codes[0]}).url == "/sign-in/"


def test_guessing_codes_is_paused_wherever_it_comes_from(dora, codes):
    for number in range(FAILURES_ALLOWED):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(client)
        client.post("/sign-in/code/", {"code": "000-000"})
    sign_in(client)

    page = client.post("/sign-in/code/", {"code": codes[0]})

    assert "Too many wrong codes" in page.content.decode()
    SignInFailures.objects.all().delete()
    assert client.post("/sign-in/code/", {"code": codes[0]}).status_code == 302


def test_second_factor_is_turned_off_with_a_code_only(browser, dora, codes):
    assert browser.post("/account/second-factor/off/", {"code": "wrong"}).status_code == 422
    assert SecondFactor.objects.exists()

    assert browser.post("/account/second-factor/off/", {"code": codes[0]}).url == "/account/"

    assert not SecondFactor.objects.exists()
    assert Activity.objects.filter(action="person.second_factor_off").exists()


def test_recovery_codes_are_renewed_with_a_code_only(browser, dora, codes):
    assert browser.post("/account/second-factor/codes/", {"code": "wrong"}).status_code == 422

    page = browser.post("/account/second-factor/codes/", {"code": codes[0]})

    assert set(page.context["codes"]).isdisjoint(codes)


def test_no_page_of_ones_own_is_kept_by_caches(browser):
    for page in ("/account/", "/account/second-factor/"):
        assert "no-store" in browser.get(page).headers["Cache-Control"]
