"""Members and invitations for tests."""

from datetime import timedelta
from itertools import count

from django.test import Client

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


def sign_in_member(workspace, name, role):
    """A client that is signed in as a new member, with its `user` and `workspace`."""
    user = User.objects.create_user(f"{name}@example.org", "correct horse", name=name.title())
    Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    client.user, client.workspace = user, workspace
    return client
