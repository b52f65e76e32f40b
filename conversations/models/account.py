"""People: who they are and how they sign in."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    """Makes users by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may sign in with `password`, or only by link when it is None."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Sign-in ignores the case of the address."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person. What they may do is said by their memberships, workspace by workspace."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    time_zone = models.CharField(max_length=60, default="UTC")  # of their quiet hours and digests

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email


class SignInLink(models.Model):
    """A link that signs one person in, once. Only the hash of its token is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    token_hash = models.BinaryField(max_length=32, unique=True)  # sha256
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link {self.pk}"


class SignInFailures(models.Model):
    """Wrong passwords for one address from one place, counted for all web processes together."""

    place = models.BinaryField(max_length=32, primary_key=True)  # sha256 of both
    count = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()  # then it is forgotten

    def __str__(self) -> str:
        return f"{self.count} failures"
