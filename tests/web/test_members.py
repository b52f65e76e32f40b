import re

import pytest
from django.test import Client

from conversations.models import Activity, ApiKey, Invitation, Membership, User, Workspace
from conversations.web.throttle import FAILURES_ALLOWED
from tests.factories import create_api_key
from tests.people.rows import create_invitation, create_member

PAGE = "/w/acme/settings/members/"
INVITATION = {"note": "Dora", "role": "reviewer", "days": "7"}
DORA = {"name": "Dora", "email": "dora@example.org", "password": "a long password"}


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        create_member(acme)
        create_invitation(acme)

    with django_assert_num_queries(5):
        response = alice.get(PAGE)

    assert len(response.context["page"].rows) == rows + 1
    assert len(response.context["invitations"]) == rows


def test_viewer_sees_who_is_in_and_changes_nothing(victor, acme):
    create_invitation(acme)

    response = victor.get(PAGE)

    assert response.context["invitations"] == []
    assert "Make a link" not in response.content.decode()
    assert victor.post(PAGE, INVITATION).status_code == 403


def test_members_of_other_workspaces_are_not_listed(alice, globex):
    stranger = create_member(globex)

    assert stranger.user.email not in alice.get(PAGE).content.decode()


def test_link_is_shown_once(alice):
    response = alice.post(PAGE, INVITATION)

    link = response.context["link"]
    assert link.startswith("http://testserver/join/")
    assert link in response.content.decode()
    assert link not in alice.get(PAGE).content.decode()
    assert "Dora" in alice.get(PAGE).content.decode()
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("field", [{"role": "emperor"}, {"days": "9999"}, {"role": "owner"}])
def test_invitation_must_be_one_of_those_offered(acme, field):
    client = Client()
    client.force_login(create_member(acme, "admin").user)

    assert client.post(PAGE, INVITATION | field).status_code == 422
    assert not Invitation.objects.exists()


def test_role_is_changed(alice, acme):
    member = create_member(acme)

    assert alice.post(f"{PAGE}{member.pk}/role/", {"role": "admin"}).url == PAGE

    assert Membership.objects.get(pk=member.pk).role == "admin"


@pytest.mark.parametrize("role", ["", "emperor"])
def test_unknown_role_is_none(alice, acme, role):
    member = create_member(acme)

    page = alice.post(f"{PAGE}{member.pk}/role/", {"role": role}, follow=True)

    assert "There is no such role" in page.content.decode()
    assert Membership.objects.get(pk=member.pk).role == "viewer"


def test_last_owner_is_told_why_they_stay(alice):
    page = alice.post(f"{PAGE}leave/", follow=True)

    assert "A workspace needs an owner" in page.content.decode()
    assert Membership.objects.filter(user=alice.user).exists()


def test_member_leaves(bob):
    bob.post(f"{PAGE}leave/")

    assert bob.get("/w/acme/").status_code == 404
    assert Activity.objects.get(action="member.left").user == bob.user


def test_removing_asks_what_becomes_of_keys(alice, acme):
    member = create_member(acme, "admin")
    key, _ = create_api_key(acme, created_by=member.user, name="their agents")

    assert "their agents" in alice.get(f"{PAGE}{member.pk}/remove/").content.decode()
    alice.post(f"{PAGE}{member.pk}/remove/", {"revoke_keys": "on"})

    assert not Membership.objects.filter(pk=member.pk).exists()
    assert not ApiKey.objects.usable().filter(pk=key.pk).exists()


def test_removed_member_sees_nothing_from_then_on(alice, bob):
    alice.post(f"{PAGE}{Membership.objects.get(user=bob.user).pk}/remove/")

    assert bob.get("/w/acme/conversations/").status_code == 404


def test_person_without_account_joins(alice, client):
    link = alice.post(PAGE, INVITATION).context["link"]

    assert "Join Acme" in client.get(link).content.decode()
    assert client.get(link).status_code == 200  # looking does not use it up
    assert client.post(link, DORA).url == "/w/acme/"

    assert Membership.objects.get(user__email="dora@example.org").role == "reviewer"
    assert client.get("/w/acme/").status_code == 200
    assert Client().get(link).status_code == 410


def test_person_with_account_joins_as_they_are(acme, charlie):
    _, token = create_invitation(acme)

    page = charlie.get(f"/join/{token}/").content.decode()
    assert "charlie@example.org" in page
    assert charlie.post(f"/join/{token}/").url == "/w/acme/"

    switcher = charlie.get("/w/acme/").content.decode()
    assert re.search(r'href="/w/globex/"\s*>Globex', switcher)
    assert "New workspace" in switcher


def test_person_with_account_is_led_to_sign_in_and_back(acme, charlie, client):
    _, token = create_invitation(acme)

    page = client.get(f"/join/{token}/").content.decode()
    assert f"/sign-in/?next=/join/{token}/" in page
    assert client.post(f"/join/{token}/", DORA | {"email": charlie.user.email}).status_code == 422
    assert User.objects.filter(email=charlie.user.email).count() == 1


@pytest.mark.parametrize("weak", [{"password": "short"}, {"email": "no address"}, {"email": ""}])
def test_joining_needs_a_sound_account(acme, client, weak):
    _, token = create_invitation(acme)

    assert client.post(f"/join/{token}/", DORA | weak).status_code == 422
    assert not User.objects.filter(name="Dora").exists()


def test_revoked_invitation_is_closed(alice, acme, client):
    row, token = create_invitation(acme)

    alice.post(f"/w/acme/settings/invitations/{row.pk}/revoke/")

    assert client.get(f"/join/{token}/").status_code == 410
    assert client.post(f"/join/{token}/", DORA).status_code == 410


def test_guessing_links_is_paused(acme, client):
    _, token = create_invitation(acme)
    for number in range(FAILURES_ALLOWED):
        assert client.get(f"/join/guess{number}/").status_code == 410

    assert client.get(f"/join/{token}/").status_code == 410
    assert Client(REMOTE_ADDR="192.0.2.7").get(f"/join/{token}/").status_code == 200


def test_workspace_is_made_and_renamed(alice):
    assert alice.post("/workspaces/new/", {"name": "Blue Team"}).url == "/w/blue-team/connect/"

    alice.post("/w/blue-team/settings/workspace/", {"name": "Red Team"})

    assert Workspace.objects.get(slug="blue-team").name == "Red Team"
    assert Activity.objects.get(action="workspace.renamed").detail == {"name": ["Blue Team", "Red Team"]}


def test_workspace_name_that_is_taken_is_said_inline(alice):
    assert alice.post("/workspaces/new/", {"name": "ACME"}).status_code == 422


@pytest.mark.parametrize("page", ["/account/", "/account/second-factor/", "/workspaces/new/", "/password/"])
def test_own_pages_ask_to_sign_in(client, db, page):
    assert client.get(page).url.startswith("/sign-in/?next=")
