"""What stands between a person and their pages: sessions that can be ended, and an optional second factor."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from conversations.models.account import User
from conversations.models.workspace import Workspace, choices
from conversations.vocabulary import MemberRole, SignInWay


class Session(AbstractBaseSession):
    """One browser that is signed in. The columns repeat what the session says of itself, so that it can be listed."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")  # null: nobody signed in yet
    way = models.CharField(max_length=20, blank=True, choices=[(way.value, way.value) for way in SignInWay])
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # to five minutes: a write a request would cost more
    address = models.GenericIPAddressField(null=True)  # from where it was last seen
    browser = models.CharField(max_length=300, blank=True)  # as it calls itself

    def __str__(self) -> str:
        return f"session of {self.user_id}"


class SecondFactor(models.Model):
    """A person's TOTP app, and the codes for the day it is lost."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor", primary_key=True)
    sealed_secret = models.TextField()  # encrypted with the server's secret key
    created_at = models.DateTimeField(auto_now_add=True)
    last_step = models.BigIntegerField(default=0)  # 30 s since 1970 of the last code taken: each is good once
    recovery_hashes = ArrayField(models.BinaryField(max_length=32), default=list)  # sha256 of those not used yet

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class SignInProvider(models.Model):
    """The OpenID provider of the server, as an owner of its first workspace has set it: that one people come into.
    Settings of the environment win over it."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="sign_in_provider")
    issuer = models.CharField(max_length=500)  # without the slash at its end
    name = models.CharField(max_length=60)  # on the button
    client_id = models.CharField(max_length=300)
    sealed_secret = models.TextField()  # see people/sealing.py
    domains = ArrayField(models.CharField(max_length=253), default=list)  # of addresses; empty = any
    auto_create = models.BooleanField(default=False)  # accounts of those who come for the first time
    default_role = models.CharField(max_length=20, choices=choices(MemberRole), default=MemberRole.VIEWER)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(default_role__in=["admin", "reviewer", "viewer"]), name="sign_in_provider_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
