from contextlib import nullcontext
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import Activity, ApiKey
from conversations.people.access import SCOPES_OF_ROLE, is_at_least, scopes_of
from conversations.people.keys import make_key, rotate_key
from conversations.vocabulary import MemberRole, Scope
from tests.people.rows import create_member


@pytest.mark.parametrize("role", list(MemberRole))
@pytest.mark.parametrize("scope", list(Scope))
def test_key_does_no_more_than_its_maker_may(acme, role, scope):
    by = create_member(acme, role)
    is_allowed = scope in SCOPES_OF_ROLE[role]

    with nullcontext() if is_allowed else pytest.raises(Refused, match=scope):
        make_key(by, name="k", scopes=[scope])

    assert ApiKey.objects.exists() is is_allowed


def test_higher_roles_have_what_lower_ones_have():
    ranks = list(MemberRole)
    for higher, lower in pairwise(ranks):
        assert scopes_of(higher) >= scopes_of(lower)
        assert is_at_least(higher, lower)
        assert not is_at_least(lower, higher)


def test_rotated_key_works_beside_the_new_one_for_a_while(acme):
    by = create_member(acme, "admin")
    old, _ = make_key(by, name="agents", scopes=["ingest"], expires_at=timezone.now() + timedelta(days=30))

    new, key = rotate_key(old, by=by, overlap=timedelta(hours=24))

    old.refresh_from_db()
    assert old.replaced_by == new
    assert old.expires_at - timezone.now() < timedelta(hours=24)
    assert (new.name, new.scopes, key[:4]) == ("agents", ["ingest"], "obs_")
    assert abs(new.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert set(ApiKey.objects.usable()) == {old, new}
    assert Activity.objects.filter(action="api_key.rotated", target_id=old.pk).exists()


def test_rotation_never_prolongs_the_old_key(acme):
    by = create_member(acme, "admin")
    soon = timezone.now() + timedelta(hours=1)
    old, _ = make_key(by, name="k", scopes=["read"], expires_at=soon)

    rotate_key(old, by=by, overlap=timedelta(days=7))

    old.refresh_from_db()
    assert old.expires_at == soon


def test_key_is_replaced_once(acme):
    by = create_member(acme, "admin")
    old, _ = make_key(by, name="k", scopes=["read"])
    rotate_key(old, by=by, overlap=timedelta(0))

    with pytest.raises(Refused, match="ended, or was replaced"):
        rotate_key(old, by=by, overlap=timedelta(0))
    assert ApiKey.objects.usable().count() == 1


def test_nobody_rotates_a_key_beyond_their_role(acme):
    old, _ = make_key(create_member(acme, "admin"), name="k", scopes=["manage"])

    with pytest.raises(Refused, match="manage"):
        rotate_key(old, by=create_member(acme, "viewer"), overlap=timedelta(0))
