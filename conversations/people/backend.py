"""Whose session it is: Django's own way with passwords, and the person by a statement that is made once."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet

from conversations.models import User
from conversations.models.prepared import Prepared


class Backend(ModelBackend):
    """`AUTHENTICATION_BACKENDS` names it. Every page asks for its person."""

    def get_user(self, user_id: Any) -> User | None:
        """None for one who is gone or may not come in."""
        found = next(iter(_people(key=int(user_id))), None)
        return found if found is not None and self.user_can_authenticate(found) else None


@Prepared
def _people(key: int) -> "QuerySet[User]":
    return User.objects.filter(pk=key)
