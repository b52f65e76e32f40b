from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client

from conversations.models import Activity, Membership, SecondFactor, SignInLink, User
from conversations.ops.accounts import create_sign_in_link
from tests.standin.oidc import running_provider

LOGIN = "/oidc/observatory/login/"


@pytest.fixture(scope="module")
def server():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(server, settings, acme):
    server.person = {"sub": "17", "email": "dora@example.org", "email_verified": True, "name": "Dora"}
    server.twist, server.lie, server.signs_with, server.algorithm = {}, {}, server.key, "RS256"
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = (
        server.issuer, "observatory", "shared secret",
    )  # fmt: skip
    settings.OIDC_AUTO_CREATE, settings.OIDC_DEFAULT_ROLE = True, "reviewer"
    cache.clear()
    return server


def come(client, provider, **params):
    """There and back again."""
    there = client.get(LOGIN, params)
    assert there.url.startswith(f"{provider.issuer}/authorize?")
    return client.get(provider.sign_in(there.url))


def test_button_is_there_where_a_provider_is(client, db, settings):
    assert "/oidc/" not in client.get("/sign-in/").content.decode()
    assert client.get(LOGIN).status_code == 404

    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://login.example.org", "Example Login"

    assert "Sign in with Example Login" in client.get("/sign-in/").content.decode()


def test_new_person_comes_in_and_gets_the_role(client, provider):
    assert come(client, provider, next="/w/acme/compactions/").url == "/w/acme/compactions/"

    member = Membership.objects.get(user__email="dora@example.org")
    assert (member.role, member.user.name, member.user.has_usable_password()) == ("reviewer", "Dora", False)
    assert client.get("/w/acme/").status_code == 200
    assert client.get("/account/").context["sessions"][0].way == "oidc"
    assert set(Activity.objects.values_list("action", flat=True)) == {"member.joined", "person.signed_in"}
    assert SocialAccount.objects.get().extra_data == {}


def test_request_asks_for_code_with_pkce_and_state(client, provider):
    asked = parse_qs(urlsplit(client.get(LOGIN).url).query)

    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://testserver/oidc/observatory/login/callback/"]
    assert {"openid", "email"} <= set(asked["scope"][0].split())
    assert asked["state"][0]


def test_person_is_known_by_the_subject_from_then_on(client, provider):
    come(client, provider)
    provider.person["email"] = "dora.new@example.org"

    assert come(Client(), provider).status_code == 302

    assert User.objects.count() == 1
    assert SocialAccount.objects.count() == 1


def test_existing_account_is_handed_over_once(provider, acme, client):
    dora = User.objects.create_user("Dora@example.org", "a long password")
    Membership.objects.create(workspace=acme, user=dora, role="admin")
    SecondFactor.objects.create(user=dora, sealed_secret="x")
    create_sign_in_link(dora)
    squatter = Client()
    squatter.force_login(dora)

    assert come(client, provider).status_code == 302

    dora.refresh_from_db()
    assert not dora.has_usable_password()
    assert not SecondFactor.objects.exists()
    assert not SignInLink.objects.exists()
    assert squatter.get("/w/acme/").status_code == 302
    assert Membership.objects.get(user=dora).role == "admin"
    dora.set_password("set again")
    dora.save()
    come(Client(), provider)
    dora.refresh_from_db()
    assert dora.has_usable_password()


def test_account_is_linked_to_its_present_owner_alone(client, provider):
    come(client, provider)
    User.objects.update(email="erin@example.org")
    provider.person = {"sub": "99", "email": "erin@example.org", "email_verified": True}
    come(Client(), provider)
    provider.person = {"sub": "17", "email": "dora@example.org", "email_verified": True}

    come(Client(), provider)

    assert sorted(User.objects.values_list("email", flat=True)) == ["dora@example.org", "erin@example.org"]
    assert SocialAccount.objects.count() == 2


@pytest.mark.parametrize(
    ("setting", "person", "why"),
    [
        ({"OIDC_AUTO_CREATE": False}, {}, "Ask for an invitation"),
        ({"OIDC_DOMAINS": ["example.com"]}, {}, "example.org cannot sign in"),
        ({"OIDC_DOMAINS": ["org"]}, {}, "example.org cannot sign in"),
        ({}, {"email_verified": False}, "does not vouch"),
        ({}, {"email_verified": None}, "does not vouch"),
        ({}, {"email": None}, "does not vouch"),
    ],
)
def test_not_everybody_comes_in(client, provider, settings, setting, person, why):
    provider.person |= person
    for name, value in setting.items():
        setattr(settings, name, value)

    response = come(client, provider)

    assert (response.status_code, why in response.content.decode()) == (403, True)
    assert not User.objects.exists()
    assert client.get("/w/acme/").status_code == 302


def test_domain_that_is_not_allowed_any_more_keeps_known_people_out(client, provider, settings):
    come(client, provider)
    settings.OIDC_DOMAINS = ["example.com"]

    assert come(Client(), provider).status_code == 403


def test_closed_account_stays_closed(client, provider):
    User.objects.create_user("dora@example.org", is_active=False)

    assert come(client, provider).status_code == 403


@pytest.mark.parametrize(
    "twist",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1}, {"sub": "18"}],
)
def test_id_token_must_fit(client, provider, twist):
    provider.twist = twist

    assert come(client, provider).status_code == 401
    assert not User.objects.exists()


def test_user_info_must_be_of_the_same_person(client, provider):
    provider.lie = {"sub": "18"}

    assert come(client, provider).status_code == 401


def test_id_token_must_be_signed_by_the_provider(client, provider):
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert come(client, provider).status_code == 401


@pytest.mark.parametrize(("algorithm", "key"), [("HS256", "k" * 32), ("none", "")])
def test_id_token_must_be_signed_with_a_key_of_two_halves(client, provider, algorithm, key):
    provider.algorithm, provider.signs_with = algorithm, key

    assert come(client, provider).status_code == 401


def test_answer_without_a_question_is_refused(client, provider):
    there = Client().get(LOGIN)

    assert client.get(provider.sign_in(there.url)).status_code == 401


def test_answer_is_good_once(client, provider):
    back = provider.sign_in(client.get(LOGIN).url)
    assert client.get(back).status_code == 302

    assert client.get(back).status_code == 401


def test_cancelling_there_leads_back(client, provider):
    client.get(LOGIN)

    assert client.get(f"{LOGIN}callback/?error=access_denied&state=x").status_code == 401


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/"])
def test_sign_in_never_leads_to_another_site(client, provider, elsewhere):
    assert come(client, provider, next=elsewhere).url == "/"


def test_provider_that_is_away_is_said(client, db, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"

    assert client.get(LOGIN).status_code == 502


@pytest.mark.parametrize(("named", "role"), [("", None), ("acme", "reviewer"), ("no-such", None)])
def test_with_several_workspaces_the_setting_says_which(client, provider, globex, settings, named, role):
    settings.OIDC_WORKSPACE = named

    come(client, provider)

    member = Membership.objects.filter(user__email="dora@example.org").first()
    assert (member.role if member else None) == role
