"""The form of the server's OpenID provider."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from conversations.models import SignInProvider
from conversations.people.single_sign_on import ROLES
from conversations.web.discovery import WELL_KNOWN

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_COLUMNS = ("issuer", "name", "client_id", "auto_create", "default_role")


class ProviderForm(forms.Form):
    """Where the provider is, and who may come in by it."""

    issuer = forms.URLField(
        label="Address of the provider",
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://login.example.org/realms/team"}),
        help_text=f"Its issuer; the address of its discovery document ({WELL_KNOWN}) does as well.",
    )
    name = forms.CharField(
        label="What the button says", max_length=60, initial="single sign-on", help_text="Sign in with …"
    )
    client_id = forms.CharField(label="Client id", max_length=300, help_text="What the provider calls this server.")
    secret = forms.CharField(
        label="Client secret",
        required=False,
        strip=True,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    domains = forms.CharField(
        label="Domains of addresses that may come in",
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"placeholder": "example.org, example.com"}),
        help_text="Left empty: any that the provider calls verified.",
    )
    auto_create = forms.BooleanField(label="Make an account for who has none", required=False)
    default_role = forms.ChoiceField(
        label="Who comes for the first time becomes", choices=[(role.value, role.value) for role in ROLES]
    )

    def __init__(self, *args: Any, row: SignInProvider | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._row = row
        if row is not None:
            self.initial = {name: getattr(row, name) for name in _COLUMNS} | {"domains": ", ".join(row.domains)}
            self.fields["secret"].help_text = "Stored encrypted, and shown to nobody. Left empty: stays as it is."

    def clean_issuer(self) -> str:
        """Without what discovery adds."""
        issuer: str = self.cleaned_data["issuer"].rstrip("/").removesuffix(WELL_KNOWN).rstrip("/")
        if not issuer.startswith("https://") and not settings.CHANNEL_NETWORKS:
            raise ValidationError("It must begin with https://, or tokens could be read on their way.")
        return issuer

    def clean_secret(self) -> str:
        """Needed the first time, and for another address: the secret goes there with the next who signs in."""
        secret: str = self.cleaned_data["secret"]
        if not secret and self._row is None:
            raise ValidationError("The provider gives it to you where you register this server.")
        if not secret and self._row and self.cleaned_data.get("issuer", self._row.issuer) != self._row.issuer:
            raise ValidationError("The address is another one: type the secret that belongs to it.")
        return secret

    def clean_domains(self) -> list[str]:
        """Each once, in small letters."""
        domains = [
            each.removeprefix("@") for each in re.split(r"[\s,;]+", self.cleaned_data["domains"].lower()) if each
        ]
        if bad := [each for each in domains if len(each) > 253 or not _DOMAIN.fullmatch(each)]:  # noqa: PLR2004 -- DNS
            raise ValidationError(f"“{bad[0]}” is no domain.")
        return list(dict.fromkeys(domains))
