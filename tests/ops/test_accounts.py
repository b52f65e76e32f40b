from datetime import timedelta

import pytest

from conversations.models import SignInLink, User
from conversations.ops.accounts import create_sign_in_link, sign_in_link_owner, use_sign_in_link


@pytest.fixture
def user(db):
    return User.objects.create_user("alice@example.org")


def test_use_sign_in_link_works_once(user):
    token = create_sign_in_link(user)

    assert use_sign_in_link(token) == user
    assert use_sign_in_link(token) is None


def test_sign_in_link_owner_does_not_use_the_link(user):
    token = create_sign_in_link(user)

    assert sign_in_link_owner(token) == user
    assert use_sign_in_link(token) == user


def test_use_sign_in_link_refuses_one_too_old(user):
    token = create_sign_in_link(user, lifetime=timedelta(seconds=-1))

    assert use_sign_in_link(token) is None


def test_use_sign_in_link_refuses_a_person_who_left(user):
    token = create_sign_in_link(user)
    User.objects.update(is_active=False)

    assert use_sign_in_link(token) is None


def test_use_sign_in_link_refuses_an_unknown_token(db):
    assert use_sign_in_link("nonsense") is None


def test_create_sign_in_link_stores_only_the_hash(user):
    token = create_sign_in_link(user)

    assert token.encode() not in bytes(SignInLink.objects.get().token_hash)
