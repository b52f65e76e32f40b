"""Forms of members, invitations and workspaces."""

from datetime import timedelta
from typing import Any

from django import forms

from conversations.people.access import is_at_least
from conversations.vocabulary import MemberRole

_WHAT = {
    MemberRole.OWNER: "owner: everything, other owners included",
    MemberRole.ADMIN: "admin: settings, people, keys, budgets",
    MemberRole.REVIEWER: "reviewer: judges, imports, makes own keys",
    MemberRole.VIEWER: "viewer: reads",
}
_DAYS = ((1, "a day"), (7, "7 days"), (30, "30 days"))


def roles_up_to(role: str) -> list[tuple[str, str]]:
    """The roles that somebody of `role` may give, with what each may do."""
    return [(each.value, label) for each, label in _WHAT.items() if is_at_least(role, each)]


class RoleForm(forms.Form):
    """Which role a member is to have."""

    role = forms.ChoiceField(choices=[(role.value, role.value) for role in MemberRole])


class InvitationForm(forms.Form):
    """Whom the link is for, and what it makes of them."""

    note = forms.CharField(
        label="For whom",
        required=False,
        max_length=120,
        help_text="A name, for you to tell links apart. Whoever has the link can use it, once.",
    )
    role = forms.ChoiceField(label="As")
    days = forms.TypedChoiceField(label="Good for", coerce=int, choices=_DAYS, initial=7)

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- declared above; narrows the type
        field.choices = roles_up_to(role)
        field.initial = MemberRole.REVIEWER.value

    @property
    def lifetime(self) -> timedelta:
        """How long the link is good for."""
        return timedelta(days=self.cleaned_data["days"])


class WorkspaceForm(forms.Form):
    """What a workspace is called."""

    name = forms.CharField(label="Name", max_length=50)
