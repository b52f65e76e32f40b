"""The form of a silence: of what, when, and why."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from conversations.models import Budget, Rule, Silence
from conversations.web.channel_forms import time_zone_field

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MOMENT = "%Y-%m-%dT%H:%M"


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        help_text=help_text,
        input_formats=[_MOMENT, f"{_MOMENT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT),
    )


def _clock(label: str) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


class SilenceForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """Times are by the clocks of the zone that is chosen."""

    rule = forms.ModelChoiceField(label="Of the rule", queryset=Rule.objects.none(), required=False, empty_label="any")
    budget = forms.ModelChoiceField(
        label="or of the budget", queryset=Budget.objects.none(), required=False, empty_label="any"
    )
    group = forms.CharField(
        label="Of the group", required=False, max_length=300, help_text="Such as an agent's name. Empty: any."
    )
    reason = forms.CharField(label="Why", max_length=300, widget=forms.TextInput(attrs={"placeholder": "maintenance"}))
    starts_at = _moment("From", "Empty: now.")
    ends_at = _moment("To", "Empty: until somebody ends it.")
    weekdays = forms.TypedMultipleChoiceField(
        label="Only on",
        coerce=int,
        required=False,
        choices=list(enumerate(DAYS)),
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: the whole time.",
    )
    from_time = _clock("Between")
    to_time = _clock("and")
    time_zone = time_zone_field()

    class Meta:
        model = Silence
        fields = (
            "rule", "budget", "group", "reason", "starts_at", "ends_at", "weekdays", "from_time", "to_time",
            "time_zone",
        )  # fmt: skip

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        for name, model in (("rule", Rule), ("budget", Budget)):
            rows = model.objects.filter(workspace=self.instance.workspace_id).order_by("name")
            self.fields[name].queryset = rows  # type: ignore[attr-defined] # of the ModelChoiceFields above

    def clean(self) -> dict[str, Any]:
        """Times of that zone; halves of what belongs together."""
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        zone = ZoneInfo(data["time_zone"])
        data["starts_at"] = self._in_zone("starts_at", zone) or self.now
        data["ends_at"] = self._in_zone("ends_at", zone)
        if data["rule"] and data["budget"]:
            self.add_error("budget", "Choose a rule or a budget, or neither.")
        if data["ends_at"] and data["ends_at"] <= max(data["starts_at"], self.now):
            self.add_error("ends_at", "This is over already.")
        clocks = [data["from_time"], data["to_time"]]
        if any(clock is not None for clock in clocks) != bool(data["weekdays"]) or clocks.count(None) == 1:
            self.add_error("weekdays", "Weekly hours need days, a beginning and an end.")
        return data

    def _in_zone(self, name: str, zone: ZoneInfo) -> datetime | None:
        """What was typed is by the clocks of the zone; Django takes it for UTC."""
        moment: datetime | None = self.cleaned_data[name]
        return moment.replace(tzinfo=zone) if moment else None
