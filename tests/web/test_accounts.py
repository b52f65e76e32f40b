import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import Membership, SignInFailures, User, Workspace
from conversations.ops.accounts import create_sign_in_link
from conversations.web.throttle import FAILURES_ALLOWED


@pytest.fixture
def dora(acme):
    user = User.objects.create_user("dora@example.org", "a long password")
    Membership.objects.create(workspace=acme, user=user, role="viewer")
    return user


def sign_in(client, password="a long password", **fields):
    return client.post("/sign-in/", {"email": "dora@example.org", "password": password, **fields})


def test_home_asks_to_sign_in(client, db):
    assert client.get("/").url == "/sign-in/?next=/"


def test_home_leads_to_the_workspace(alice):
    assert alice.get("/").url == "/w/acme/"


def test_home_tells_a_person_without_workspace(client, db):
    client.force_login(User.objects.create_user("new@example.org"))

    assert "You are in no workspace yet" in client.get("/").content.decode()


def test_sign_in_by_password_leads_where_one_was_going(client, dora):
    response = sign_in(client, next="/w/acme/compactions/")

    assert (response.status_code, response.url) == (302, "/w/acme/compactions/")
    assert client.get("/w/acme/").status_code == 200


def test_sign_in_ignores_the_case_of_the_address(client, dora):
    response = client.post("/sign-in/", {"email": "Dora@Example.org", "password": "a long password"})

    assert response.status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_sign_in_never_leads_to_another_site(client, dora, elsewhere):
    assert sign_in(client, next=elsewhere).url == "/"


def test_sign_in_refuses_a_wrong_password(client, dora):
    response = sign_in(client, "wrong")

    assert response.status_code == 422
    assert "do not go together" in response.content.decode()


def test_sign_in_says_the_same_of_an_unknown_address(client, dora):
    known, unknown = (
        sign_in(client, "wrong"),
        client.post("/sign-in/", {"email": "no@example.org", "password": "wrong"}),
    )

    assert known.status_code == unknown.status_code
    assert "do not go together" in unknown.content.decode()


def test_sign_in_pauses_after_too_many_wrong_passwords(client, dora):
    for _ in range(FAILURES_ALLOWED):
        sign_in(client, "wrong")

    response = sign_in(client)

    assert "Too many wrong passwords" in response.content.decode()
    assert client.get("/").url == "/sign-in/?next=/"


def test_sign_in_pause_ends(client, dora):
    for _ in range(FAILURES_ALLOWED):
        sign_in(client, "wrong")
    SignInFailures.objects.update(until=timezone.now())

    sign_in(client, "wrong")

    assert sign_in(client).status_code == 302
    assert not SignInFailures.objects.exists()


def test_sign_in_pause_is_for_one_place(client, dora):
    for _ in range(FAILURES_ALLOWED):
        sign_in(client, "wrong")

    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302


def test_sign_in_link_shows_a_button_first(client, dora):
    url = f"/sign-in/{create_sign_in_link(dora)}/"

    first, second = client.get(url), client.get(url)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Sign in as dora@example.org" in second.content.decode()


def test_sign_in_link_works_once(client, dora):
    url = f"/sign-in/{create_sign_in_link(dora)}/"

    assert client.post(url).url == "/"
    assert client.get("/w/acme/").status_code == 200
    again = Client().post(url)
    assert (again.status_code, "This link cannot be used" in again.content.decode()) == (410, True)


def test_sign_out_needs_a_post(alice):
    assert alice.get("/sign-out/").status_code == 405
    assert alice.post("/sign-out/").url == "/sign-in/"
    assert alice.get("/w/acme/").status_code == 302


def test_password_is_set_and_the_session_stays(client, dora):
    client.force_login(dora)

    assert client.post("/password/", {"password": "another long one"}).status_code == 302

    assert client.get("/w/acme/").status_code == 200
    assert sign_in(Client(), "another long one").status_code == 302


@pytest.mark.parametrize("weak", ["short", "password1234", "dora@example.org"])
def test_password_must_be_hard_to_guess(client, dora, weak):
    client.force_login(dora)

    assert client.post("/password/", {"password": weak}).status_code == 422


def test_sign_up_is_closed_by_default(client, db):
    assert client.get("/sign-up/").status_code == 404


def test_sign_up_makes_a_person_and_their_workspace(client, db, settings):
    settings.SIGN_UP_OPEN = True
    form = {"email": "eve@example.org", "password": "a long password", "workspace": "Eve's Agents"}

    response = client.post("/sign-up/", form)

    assert response.url == "/w/eves-agents/"
    assert Membership.objects.get(user__email="eve@example.org").role == "owner"


def test_sign_up_refuses_names_that_are_taken(client, dora, settings):
    settings.SIGN_UP_OPEN = True
    form = {"email": "DORA@example.org", "password": "a long password", "workspace": "Acme"}

    response = client.post("/sign-up/", form)

    assert set(response.context["form"].errors) == {"email", "workspace"}
    assert Workspace.objects.count() == 1


def test_theme_is_remembered_in_this_browser(alice):
    alice.post("/theme/", {"theme": "dark", "next": "/w/acme/"})

    assert '<html lang="en" data-theme="dark">' in alice.get("/w/acme/").content.decode()


def test_theme_must_be_one_of_ours(alice):
    alice.post("/theme/", {"theme": '"><script>'})

    assert 'data-theme="system"' in alice.get("/w/acme/").content.decode()


def test_changes_need_a_csrf_token(dora):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(dora)

    assert strict.post("/sign-out/").status_code == 403
