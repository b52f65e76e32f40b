"""Workspaces: every other row belongs to exactly one, and every read starts there."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.account import User
from conversations.vocabulary import MemberRole, Redaction, Scope

#: Options of a foreign key that migration 0002 gives to Postgres as (workspace, …) → (workspace, id) ON DELETE CASCADE:
#: a row can never point into another workspace, a large conversation is deleted without Python reading its rows, and
#: one index that begins with the workspace serves both.
WITHIN_WORKSPACE: Any = {"db_constraint": False, "db_index": False}


def choices(enum: type[MemberRole | Scope]) -> list[tuple[str, str]]:
    """Django's choices of one of our enums."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class Workspace(models.Model):
    """A team's data and settings."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="workspaces")

    # settings
    raw_days = models.PositiveIntegerField(default=30)  # how long digested bytes are kept, for digesting again
    conversation_days = models.PositiveIntegerField(null=True, blank=True)  # since the last activity; null = for ever
    redaction = models.CharField(
        max_length=20, choices=[(r.value, r.value) for r in Redaction], default=Redaction.OFF
    )  # how is in models/redaction.py
    learns_ranking = models.BooleanField(default=True)  # of findings, from the team's verdicts; see models/learning.py

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("overview", args=[self.slug])


class Membership(models.Model):
    """What one person may do in one workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=choices(MemberRole), default=MemberRole.VIEWER)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=list(MemberRole)), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id}: {self.role}"


class Invitation(models.Model):
    """A link that makes one person a member, once. Only the hash of its token is stored."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations", db_index=False)
    token_hash = models.BinaryField(max_length=32, unique=True)  # sha256
    role = models.CharField(max_length=20, choices=choices(MemberRole), default=MemberRole.REVIEWER)
    note = models.CharField(max_length=120, blank=True)  # whom it is for, for those who made it
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=list(MemberRole)), name="invitation_role_known")]
        indexes = [
            # The list, newest first.
            models.Index(fields=["workspace", "-id"], name="invitation_recent"),
        ]

    def __str__(self) -> str:
        return self.note or f"invitation of a {self.role}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Vocabulary of keys."""

    def usable(self) -> Self:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=models.functions.Now()), revoked_at=None)


class ApiKey(models.Model):
    """A program's key: `obs_` and 43 random characters, of which only the hash is stored."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)  # the first characters, to tell keys apart
    key_hash = models.BinaryField(max_length=32, unique=True)  # sha256: the key itself is random, so it needs no salt
    scopes = ArrayField(models.CharField(max_length=20, choices=choices(Scope)))
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="+", **WITHIN_WORKSPACE)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute: a write a request would cost more

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scopes__contained_by=list(Scope)), name="api_key_scopes_known"),
            models.UniqueConstraint(fields=["workspace", "id"], name="api_key_in_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
