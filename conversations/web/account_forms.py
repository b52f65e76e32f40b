"""Forms of one's own data."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.models import User
from conversations.web.time_zones import time_zones


class AccountForm(forms.Form):
    """What is known of a person. The address is what they sign in with, so that changing it takes the password."""

    name = forms.CharField(max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    time_zone = forms.ChoiceField(
        label="Time zone", help_text="For your quiet hours and digests. Pages show times in UTC, for everybody alike."
    )
    current_password = forms.CharField(
        label="Your password",
        required=False,
        strip=False,
        help_text="Only to change the e-mail address.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial={"name": user.name, "email": user.email, "time_zone": user.time_zone})
        self.user = user
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- declared above; narrows the type
        field.choices = [(name, name.replace("_", " ")) for name in time_zones()]
        if not user.has_usable_password():
            del self.fields["current_password"]

    def clean_email(self) -> str:
        """One account an address."""
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exclude(pk=self.user.pk).exists():
            raise ValidationError("There is another account with this address.")
        return email

    def clean(self) -> dict[str, Any]:
        """Another address only with the password, where there is one."""
        cleaned: dict[str, Any] = super().clean() or {}
        is_new = cleaned.get("email", self.user.email) != self.user.email
        if is_new and "current_password" in self.fields and not self._password_is_right(cleaned):
            self.add_error("current_password", "To change the address, type your password.")
        return cleaned

    def _password_is_right(self, cleaned: dict[str, Any]) -> bool:
        return self.user.check_password(cleaned.get("current_password", ""))

    def save(self) -> list[str]:
        """The names of what changed."""
        names = [name for name in ("name", "email", "time_zone") if self.cleaned_data[name] != getattr(self.user, name)]
        for name in names:
            setattr(self.user, name, self.cleaned_data[name])
        if names:
            self.user.save(update_fields=names)
        return names


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
    )
