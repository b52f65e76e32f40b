"""An OpenID provider set on a page, beside one of the environment, which is in test_oidc.py."""

import io

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from conversations.models import Activity, Membership, SignInProvider, User
from conversations.people import single_sign_on
from tests.people.rows import sign_in_member
from tests.standin.oidc import running_provider
from tests.web.test_oidc import LOGIN, come

PAGE = "/w/acme/settings/sign-in/"


@pytest.fixture(scope="module")
def server():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def typed(server, settings, acme):
    """What an owner types; the stand-in is on this machine, which the operator allows."""
    server.person = {"sub": "17", "email": "dora@example.org", "email_verified": True, "name": "Dora"}
    settings.OIDC_ISSUER = ""
    settings.CHANNEL_NETWORKS = ("127.0.0.0/8",)
    cache.clear()
    return {
        "issuer": f"{server.issuer}/.well-known/openid-configuration", "name": "Team Login", "client_id": "observatory",
        "secret": "shared secret", "domains": "Example.org, @example.com", "auto_create": "on",
        "default_role": "reviewer",
    }  # fmt: skip


def text_of(response):
    return response.content.decode()


def test_people_sign_in_by_what_an_owner_has_set(typed, server, acme, alice, client):
    assert alice.post(PAGE, typed).status_code == 302
    row = SignInProvider.objects.get()
    assert (row.issuer, row.domains, row.workspace) == (server.issuer, ["example.org", "example.com"], acme)
    assert "shared secret" not in row.sealed_secret
    assert "shared secret" not in text_of(alice.get(PAGE))
    activity = Activity.objects.get(action="sign_in_provider.set")
    assert (activity.user, activity.detail["issuer"]) == (alice.user, server.issuer)

    assert "Sign in with Team Login" in text_of(client.get("/sign-in/"))
    assert come(client, server, next="/w/acme/compactions/").url == "/w/acme/compactions/"
    assert Membership.objects.get(user__email="dora@example.org").role == "reviewer"


def test_secret_stays_where_none_is_typed_and_follows_the_secret_key(typed, server, alice, settings):
    alice.post(PAGE, typed)
    assert alice.post(PAGE, typed | {"secret": "", "name": "Other"}).status_code == 302
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    call_command("reseal", stdout=io.StringIO())
    settings.SECRET_KEY_FALLBACKS = []

    assert come(Client(), server).status_code == 302
    chosen = single_sign_on.provider()
    assert (chosen.name, chosen.secret()) == ("Other", "shared secret")


def test_secret_does_not_go_to_another_address(typed, server, alice):
    alice.post(PAGE, typed)

    response = alice.post(PAGE, typed | {"issuer": "https://login.example.net", "secret": ""})

    assert (response.status_code, "type the secret that belongs to it" in text_of(response)) == (422, True)
    assert SignInProvider.objects.get().issuer == server.issuer


def test_secret_of_another_key_is_said(typed, alice, settings):
    alice.post(PAGE, typed)
    settings.SECRET_KEY = "another" * 10

    response = Client().get(LOGIN)

    assert (response.status_code, "cannot read" in text_of(response)) == (503, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": ""}, "This field is required"),
        ({"issuer": "ftp://x.example"}, "must begin with https"),
        ({"issuer": "http://login.example.org"}, "must begin with https"),
        ({"domains": "example"}, "is no domain"),
        ({"secret": ""}, "gives it to you"),
        ({"default_role": "owner"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused(typed, alice, settings, changed, said):
    settings.CHANNEL_NETWORKS = ()

    response = alice.post(PAGE, {**typed, "issuer": "https://login.example.org", **changed})

    assert (response.status_code, said in text_of(response)) == (422, True)
    assert not SignInProvider.objects.exists()


def test_trying_it_asks_the_provider_and_saves_nothing(typed, server, alice):
    assert f"people sign in at {server.issuer}/authorize" in text_of(alice.post(f"{PAGE}try/", typed))
    assert not SignInProvider.objects.exists()


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("{server}/realms/no", "no discovery document"),
        ("http://127.0.0.1:9", "does not answer"),
        ("http://localhost:{port}", "It calls itself"),
        ("", "Type the provider"),
    ],
)
def test_trying_says_what_is_wrong(typed, server, alice, issuer, said):
    typed["issuer"] = issuer.format(server=server.issuer, port=server.issuer.rpartition(":")[2])

    page = text_of(alice.post(f"{PAGE}try/", typed | {"client_id": ""}))

    assert said in page
    assert page.count('class="errorlist"') == (0 if issuer else 1), "of what was tried only"


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"Content-Length": "100"}, b"{", "does not answer"),
        ({"Content-Encoding": "gzip"}, b"{}", "does not answer"),
        ({}, b"[" * 100_000, "no discovery document"),
    ],
    ids=["breaks off", "is no gzip", "is too deep"],
)
def test_trying_says_of_broken_answers_what_they_are(typed, server, alice, headers, body, said):
    server.raw["/odd/.well-known/openid-configuration"] = (headers, body)

    assert said in text_of(alice.post(f"{PAGE}try/", typed | {"issuer": f"{server.issuer}/odd"}))


def test_trying_reaches_no_private_address(typed, alice, settings):
    settings.CHANNEL_NETWORKS = ()

    response = alice.post(f"{PAGE}try/", typed | {"issuer": "https://127.0.0.1:9"})

    assert "private addresses are not allowed" in text_of(response)


def test_provider_on_a_private_address_is_not_asked(typed, alice, settings):
    alice.post(PAGE, typed)
    settings.CHANNEL_NETWORKS = ()

    assert Client().get(LOGIN).status_code == 502


def test_environment_wins_and_is_shown(typed, server, alice, client, settings):
    alice.post(PAGE, typed)
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://login.example.net", "The Operator's"

    assert "Sign in with The Operator&#x27;s" in text_of(client.get("/sign-in/"))
    page = text_of(alice.get(PAGE))
    assert "Set by the environment" in page
    assert "https://login.example.net" in page
    assert alice.post(PAGE, typed | {"name": "Mine"}).status_code == 403
    assert SignInProvider.objects.get().name == "Team Login"


def test_only_the_first_workspace_sets_it(typed, acme, charlie):
    page = "/w/globex/settings/sign-in/"

    assert "Owners of the first workspace" in text_of(charlie.get(page))
    assert charlie.post(page, typed).status_code == 403
    assert charlie.post(f"{page}try/", typed).status_code == 403
    assert not SignInProvider.objects.exists()


def test_accounts_of_other_workspaces_are_not_handed_over(typed, server, acme, alice, globex):
    alice.post(PAGE, typed)
    dora = User.objects.create_user("dora@example.org", "a long password")
    Membership.objects.create(workspace=acme, user=dora, role="viewer")
    elsewhere = Membership.objects.create(workspace=globex, user=dora, role="owner")

    refused = come(Client(), server)

    assert (refused.status_code, "other workspaces" in text_of(refused)) == (403, True)
    dora.refresh_from_db()
    assert dora.has_usable_password()
    elsewhere.delete()
    assert come(Client(), server).status_code == 302


def test_it_is_removed(typed, alice, client):
    alice.post(PAGE, typed)

    assert alice.post(f"{PAGE}remove/").status_code == 302

    assert "/oidc/" not in text_of(client.get("/sign-in/"))
    assert client.get(LOGIN).status_code == 404
    assert Activity.objects.filter(action="sign_in_provider.removed").count() == 1


def test_admins_do_not_see_it(typed, acme):
    admin = sign_in_member(acme, "adam", "admin")

    assert admin.get(PAGE).status_code == 403
    assert "Single sign-on" not in text_of(admin.get("/w/acme/settings/members/"))
