"""The cast: alice (owner of acme), bob (reviewer there), victor (viewer there), charlie (outsider, owner of globex)."""

import pytest
from django.test import Client

from conversations.models import Membership, User, Workspace


@pytest.fixture
def acme(db):
    return Workspace.objects.create(slug="acme", name="Acme")


@pytest.fixture
def globex(db):
    return Workspace.objects.create(slug="globex", name="Globex")


def _member(workspace, name, role):
    user = User.objects.create_user(f"{name}@example.org", "correct horse", name=name.title())
    Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    client.user, client.workspace = user, workspace
    return client


@pytest.fixture
def alice(acme):
    return _member(acme, "alice", "owner")


@pytest.fixture
def bob(acme):
    return _member(acme, "bob", "reviewer")


@pytest.fixture
def victor(acme):
    return _member(acme, "victor", "viewer")


@pytest.fixture
def charlie(globex):
    return _member(globex, "charlie", "owner")
