import pytest

from conversations.errors import BadInput, Refused
from conversations.models import Activity, ApiKey, Membership, Workspace
from conversations.people.members import change_role, create_workspace, remove_member
from conversations.vocabulary import MemberRole
from tests.factories import create_api_key
from tests.people.rows import create_member


@pytest.fixture
def owner(acme):
    return create_member(acme, "owner")


@pytest.fixture
def admin(acme):
    return create_member(acme, "admin")


def test_role_changes_and_is_written_down(acme, owner):
    member = create_member(acme, "viewer")

    change_role(member, MemberRole.REVIEWER, by=owner)

    assert Membership.objects.get(pk=member.pk).role == "reviewer"
    row = Activity.objects.get(action="member.role_changed")
    assert (row.user, row.target_id, row.detail) == (owner.user, str(member.user_id), {"role": ["viewer", "reviewer"]})


@pytest.mark.parametrize("change", [lambda m: change_role(m, MemberRole.ADMIN, by=m),
                                    lambda m: remove_member(m, by=m, revoke_keys=False)])  # fmt: skip
def test_last_owner_stays(owner, change):
    with pytest.raises(Refused, match="needs an owner"):
        change(owner)

    assert Membership.objects.get(pk=owner.pk).role == "owner"


def test_one_of_two_owners_may_go(acme, owner):
    other = create_member(acme, "owner")

    remove_member(owner, by=owner, revoke_keys=False)

    assert list(Membership.objects.filter(workspace=acme)) == [other]


@pytest.mark.parametrize(
    ("before", "after"), [("viewer", "owner"), ("owner", "viewer"), ("owner", "admin"), ("admin", "owner")]
)
def test_admin_has_no_say_over_owners(acme, owner, admin, before, after):
    member = create_member(acme, before)

    with pytest.raises(Refused, match="Only an owner"):
        change_role(member, MemberRole(after), by=admin)

    assert Membership.objects.get(pk=member.pk).role == before


def test_admin_cannot_remove_an_owner(acme, owner, admin):
    with pytest.raises(Refused, match="Only an owner"):
        remove_member(create_member(acme, "owner"), by=admin, revoke_keys=False)


def test_somebody_removed_before_is_said_to_be_gone(acme, owner):
    member = create_member(acme)
    Membership.objects.filter(pk=member.pk).delete()

    with pytest.raises(Refused, match="no member any more"):
        change_role(member, MemberRole.ADMIN, by=owner)


def test_lesser_role_cuts_keys_down(acme, owner):
    member = create_member(acme, "admin")
    keys = {
        name: create_api_key(acme, scopes, created_by=member.user)[0]
        for name, scopes in {"all": ["ingest", "manage", "read"], "send": ["ingest"], "read": ["read"]}.items()
    }
    others = create_api_key(acme, ["manage"], created_by=owner.user)[0]

    assert change_role(member, MemberRole.VIEWER, by=owner) == 2

    now = {name: ApiKey.objects.get(pk=key.pk) for name, key in keys.items()}
    assert now["all"].scopes == ["read"]
    assert now["send"].revoked_at is not None
    assert (now["read"].scopes, now["read"].revoked_at) == (["read"], None)
    assert ApiKey.objects.get(pk=others.pk).scopes == ["manage"]


@pytest.mark.parametrize("revoke", [True, False])
def test_keys_of_a_removed_member_end_where_wanted(acme, owner, revoke):
    member = create_member(acme, "admin")
    key, _ = create_api_key(acme, created_by=member.user)

    revoked = remove_member(member, by=owner, revoke_keys=revoke)

    assert revoked == int(revoke)
    assert ApiKey.objects.usable().filter(pk=key.pk).exists() is not revoke
    assert Activity.objects.get(action="member.removed").detail == {"role": "admin", "keys_revoked": int(revoke)}


def test_workspace_is_made_with_its_owner(acme, owner):
    made = create_workspace(name="Blue Team!", owner=owner.user)

    assert (made.slug, made.memberships.get().role) == ("blue-team", "owner")


@pytest.mark.parametrize(("name", "why"), [("Acme", "of this name"), ("!!!", "one letter")])
def test_workspace_needs_an_address_of_its_own(acme, owner, name, why):
    with pytest.raises(BadInput, match=why):
        create_workspace(name=name, owner=owner.user)

    assert Workspace.objects.count() == 1


def test_long_names_fit_the_address(acme, owner):
    assert len(create_workspace(name="a-" * 60, owner=owner.user).slug) <= 50
