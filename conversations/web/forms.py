"""Forms: what people may type, and what is wrong with it."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.utils import timezone

from conversations.errors import BadInput
from conversations.models import User
from conversations.people.access import scopes_of
from conversations.people.members import free_slug
from conversations.vocabulary import Scope

PASSWORD_RULES: list[Any] = [
    MinimumLengthValidator(min_length=10),
    CommonPasswordValidator(),
    UserAttributeSimilarityValidator(user_attributes=("email", "name")),
]
_FIRST = {"autocomplete": "username", "autofocus": True}


class SignInForm(forms.Form):
    """Address and password."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs=_FIRST))
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False)


class PasswordForm(forms.Form):
    """A new password, checked against PASSWORD_RULES for this person."""

    password = forms.CharField(
        label="New password", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Long enough, not common, not the address."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user, PASSWORD_RULES)
        return password


class _NewPersonForm(forms.Form):
    """An address that has no account yet, and a password for it."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs=_FIRST))
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False)

    def clean_email(self) -> str:
        """One account an address."""
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address. Sign in instead.")
        return email

    def clean_password(self) -> str:
        """Long enough, not common, not the address."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.cleaned_data.get("email", "")), PASSWORD_RULES)
        return password


class JoinForm(_NewPersonForm):
    """A new person who was invited."""

    name = forms.CharField(
        label="Your name", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class SignUpForm(_NewPersonForm):
    """A new person with a workspace of their own."""

    workspace = forms.CharField(label="Name of your workspace", max_length=50)

    def clean_workspace(self) -> str:
        """Its address is made from its name, and must be free."""
        name: str = self.cleaned_data["workspace"]
        try:
            free_slug(name)
        except BadInput as error:
            raise ValidationError(error.message) from None
        return name


_SCOPES = {
    Scope.INGEST: "send events and transcripts",
    Scope.READ: "read everything",
    Scope.REVIEW: "review: verdicts and marks",
    Scope.MANAGE: "manage: rules, channels, budgets, incidents",
}
_KEY_DAYS = ((0, "for ever"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year"))
_OVERLAPS = ((0, "at once"), (1, "in an hour"), (24, "in a day"), (168, "in 7 days"))


class ApiKeyForm(forms.Form):
    """What the key is called, what it may do (no more than its maker), and for how long."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"placeholder": "production agents"}))
    scopes = forms.MultipleChoiceField(label="It may", widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label="It works", coerce=int, choices=_KEY_DAYS, initial=0, required=False)

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 -- declared above; narrows the type
        allowed = scopes_of(role)
        field.choices = [(scope.value, label) for scope, label in _SCOPES.items() if scope in allowed]
        field.initial = [Scope.INGEST.value if Scope.INGEST in allowed else Scope.READ.value]

    @property
    def expires_at(self) -> datetime | None:
        """When it stops working; None = never."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None


class RotateForm(forms.Form):
    """When the old key of two stops working."""

    default = timedelta(hours=24)
    hours = forms.TypedChoiceField(label="The old one ends", coerce=int, choices=_OVERLAPS, initial=24)

    @property
    def overlap(self) -> timedelta:
        """How long both work."""
        return timedelta(hours=self.cleaned_data["hours"])
