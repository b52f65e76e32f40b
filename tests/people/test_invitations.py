from contextlib import nullcontext
from datetime import timedelta

import pytest

from conversations.errors import Refused
from conversations.models import Activity, Invitation, Membership, User
from conversations.people.invitations import accept, invitation_of, invite, is_open, revoke_invitation
from conversations.vocabulary import MemberRole
from tests.people.rows import create_invitation, create_member


@pytest.fixture
def dora(db):
    return User.objects.create_user("dora@example.org")


def test_invitation_makes_a_member_once(acme, dora):
    row, token = create_invitation(acme, "reviewer")
    found = invitation_of(token)

    assert accept(found, dora).role == "reviewer"

    row.refresh_from_db()
    assert (row.accepted_by, is_open(row)) == (dora, False)
    assert Activity.objects.get(action="member.joined").user == dora
    with pytest.raises(Refused, match="used"):
        accept(found, User.objects.create_user("second@example.org"))
    assert Membership.objects.filter(role="reviewer").count() == 1


def test_only_a_hash_is_stored(acme):
    row, token = create_invitation(acme)

    assert token.encode() not in bytes(row.token_hash)
    assert invitation_of(token + "x") is None


def run_out(row):
    Invitation.objects.filter(pk=row.pk).update(expires_at="2020-01-01T00:00Z")


def take_back(row):
    revoke_invitation(row, by=row.created_by)


@pytest.mark.parametrize("end", [run_out, take_back])
def test_invitation_that_ended_makes_nobody_a_member(acme, dora, end):
    row, _ = create_invitation(acme)
    end(row)

    assert not is_open(row)
    with pytest.raises(Refused):
        accept(row, dora)
    assert not Membership.objects.filter(user=dora).exists()


def test_member_stays_what_they_are_and_the_link_good(acme, dora):
    member = create_member(acme, "admin")
    row, _ = create_invitation(acme, "viewer")

    assert accept(row, member.user).role == "admin"
    assert is_open(row)


def test_revoking_a_used_invitation_changes_nothing(acme, dora):
    row, _ = create_invitation(acme)
    accept(row, dora)

    revoke_invitation(row, by=dora)

    row.refresh_from_db()
    assert row.revoked_at is None
    assert not Activity.objects.filter(action="invitation.revoked").exists()


@pytest.mark.parametrize(
    ("own", "role", "is_allowed"),
    [("owner", "owner", True), ("admin", "owner", False), ("admin", "admin", True), ("owner", "viewer", True)],
)
def test_nobody_invites_above_themselves(acme, own, role, is_allowed):
    by = create_member(acme, own)

    with nullcontext() if is_allowed else pytest.raises(Refused, match="Only an owner"):
        invite(by, role=MemberRole(role), lifetime=timedelta(days=1))

    assert Invitation.objects.exists() is is_allowed
