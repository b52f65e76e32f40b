"""Members and invitations for tests."""

from datetime import timedelta
from itertools import count

from conversations.models import Membership, User
from conversations.people.invitations import invite
from conversations.vocabulary import MemberRole

_numbers = count(1)


def create_member(workspace, role="viewer", **fields):
    user = User.objects.create_user(f"member{next(_numbers)}@example.org", "correct horse battery", **fields)
    return Membership.objects.create(workspace=workspace, user=user, role=role)


def create_invitation(workspace, role="reviewer", lifetime=timedelta(days=7), **fields):
    """The row, and the token of its link."""
    owner = Membership.objects.filter(workspace=workspace, role="owner").first() or create_member(workspace, "owner")
    return invite(owner, role=MemberRole(role), lifetime=lifetime, **fields)
