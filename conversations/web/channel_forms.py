"""The form of a channel: where it tells, when it may, and what happens when nobody answers."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from conversations.alerts.channel_services import has_address, problem_of, store_secret
from conversations.alerts.channels.apprise_service import SERVICES
from conversations.models import Channel
from conversations.vocabulary import ChannelKind, MemberRole

KINDS = {
    ChannelKind.APPRISE: "Slack, Teams, e-mail and other services",
    ChannelKind.WEBHOOK: "A webhook of your own",
    ChannelKind.IN_APP: "In the app",
}
_PLACEHOLDERS = {
    ChannelKind.APPRISE: "slack://TokenA/TokenB/TokenC/#agents",
    ChannelKind.WEBHOOK: "https://hooks.example.org/observatory",
}
_ROLES = {
    MemberRole.OWNER: "owners",
    MemberRole.ADMIN: "admins",
    MemberRole.REVIEWER: "reviewers",
    MemberRole.VIEWER: "viewers",
}
_DAY_MINUTES = 1440


def _time(label: str) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


def time_zone_field() -> forms.CharField:
    """A name of the IANA database."""
    return forms.CharField(
        label="By the clocks of",
        max_length=60,
        initial="UTC",
        validators=[_known_zone],
        widget=forms.TextInput(attrs={"list": "time-zones"}),
    )


def _known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("This is not a time zone, such as Europe/Berlin.")


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """What fits the channel's kind; an address that is there is never shown, and kept where nothing else is written."""

    address = forms.CharField(
        required=False, max_length=2000, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    renew_key = forms.BooleanField(label="Make a new signing key; the present one ends at once", required=False)
    roles = forms.MultipleChoiceField(
        label="Tells",
        required=False,
        choices=[(role.value, label) for role, label in _ROLES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: every member.",
    )
    is_on = forms.BooleanField(label="It is switched on", required=False)
    tells_resolved = forms.BooleanField(label="Tell when an incident is over, too", required=False)
    most_an_hour = forms.IntegerField(
        label="Messages an hour, at most",
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="What is more waits, and goes out together. Empty: no limit.",
    )
    digest_minutes = forms.IntegerField(
        label="Minutes to gather",
        required=False,
        min_value=0,
        max_value=_DAY_MINUTES,
        help_text="0: tell at once. Else everything of that time is told in one message.",
    )
    quiet_from = _time("Quiet from")
    quiet_to = _time("Quiet to")
    time_zone = time_zone_field()
    wakes_when_critical = forms.BooleanField(
        label="Critical incidents are told at once, whatever the hour", required=False
    )
    escalate_after_minutes = forms.IntegerField(
        label="Minutes until somebody must have acknowledged", required=False, min_value=1, max_value=7 * _DAY_MINUTES
    )
    escalate_to = forms.ModelChoiceField(
        label="Then tell as well", queryset=Channel.objects.none(), required=False, empty_label="nobody else"
    )

    class Meta:
        model = Channel
        fields = (
            "name", "address", "renew_key", "roles", "is_on", "tells_resolved", "most_an_hour", "digest_minutes",
            "quiet_from", "quiet_to", "time_zone", "wakes_when_critical", "escalate_after_minutes", "escalate_to",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_key = ""  # of a webhook, once saved
        kind, channel = ChannelKind(self.instance.kind), self.instance
        others = Channel.objects.filter(workspace=channel.workspace_id).exclude(pk=channel.pk).order_by("name")
        self.fields["escalate_to"].queryset = others  # type: ignore[attr-defined] # of the ModelChoiceField above
        for name in self._unfit(kind):
            del self.fields[name]
        if address := self.fields.get("address"):
            address.widget.attrs["placeholder"] = _PLACEHOLDERS[kind]
            address.help_text = self._about_address(kind)

    def _unfit(self, kind: ChannelKind) -> list[str]:
        unfit = ["address", "renew_key"] if kind == ChannelKind.IN_APP else ["roles"]
        if kind == ChannelKind.APPRISE or not self.instance.pk:
            unfit.append("renew_key")
        return [name for name in dict.fromkeys(unfit) if name in self.fields]

    def _about_address(self, kind: ChannelKind) -> str:
        if self.instance.pk and has_address(self.instance):
            return f"Now {self.instance.shown_address}, and never shown again. Leave it empty to keep it."
        if kind == ChannelKind.WEBHOOK:
            return "We POST signed JSON to it."
        services = ", ".join(dict.fromkeys(SERVICES.values()))
        return f"As Apprise writes it, or the service's own webhook address: {services}."

    def clean_name(self) -> str:
        """One channel a name."""
        name: str = self.cleaned_data["name"]
        others = Channel.objects.filter(workspace=self.instance.workspace_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError("There is a channel of this name. Choose another.")
        return name

    def clean_address(self) -> str:
        """One that can be used; empty only where there is one already."""
        address: str = self.cleaned_data["address"].strip()
        if not address and not has_address(self.instance):
            raise ValidationError("Write the address.")
        problem = problem_of(ChannelKind(self.instance.kind), address) if address else ""
        if problem:
            raise ValidationError(problem)
        return address

    def clean_digest_minutes(self) -> int:
        """Empty is 0."""
        return self.cleaned_data["digest_minutes"] or 0

    def clean(self) -> dict[str, Any]:
        """Halves of what belongs together."""
        data: dict[str, Any] = super().clean() or {}
        if (data.get("quiet_from") is None) != (data.get("quiet_to") is None) and not self.errors:
            self.add_error("quiet_to", "Quiet hours need a beginning and an end.")
        if (data.get("escalate_after_minutes") is None) != (data.get("escalate_to") is None) and not self.errors:
            self.add_error("escalate_to", "Say both: after how many minutes, and whom.")
        return data

    def save(self, commit: bool = True) -> Channel:  # noqa: FBT001, FBT002 -- Django's signature
        """With the secret sealed; `new_key` is to be shown once."""
        channel: Channel = super().save(commit=False)
        if channel.kind != ChannelKind.IN_APP:
            self.new_key = store_secret(
                channel,
                address=self.cleaned_data.get("address", ""),
                renew_key=self.cleaned_data.get("renew_key", False),
            )
        if channel.is_on:
            channel.off_reason = ""
        channel.save()
        return channel
