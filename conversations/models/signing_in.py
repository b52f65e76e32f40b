"""What stands between a person and their pages: sessions that can be ended, and an optional second factor."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from conversations.models.account import User
from conversations.vocabulary import SignInWay


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
