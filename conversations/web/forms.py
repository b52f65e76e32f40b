"""Forms: what people may type, and what is wrong with it."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from conversations.models import User, Workspace
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


class SignUpForm(forms.Form):
    """A new person with a workspace of their own."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs=_FIRST))
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False)
    workspace = forms.CharField(label="Name of your workspace", max_length=50)

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

    def clean_workspace(self) -> str:
        """Its address is made from its name, and must be free."""
        name: str = self.cleaned_data["workspace"]
        slug = slugify(name)
        if not slug:
            raise ValidationError("Use at least one letter or digit.")
        if Workspace.objects.filter(slug=slug).exists():
            raise ValidationError("There is a workspace of this name. Choose another.")
        return name


class ApiKeyForm(forms.Form):
    """What the key is called and what it may do."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"placeholder": "production agents"}))
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(Scope.INGEST.value, "send events and transcripts"), (Scope.READ.value, "read everything")],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.INGEST.value],
    )
