"""What people may do with incidents, and what each of it needs."""

from datetime import timedelta
from typing import Any

from django import forms

from conversations.models import User, Workspace

ACTIONS = {
    "acknowledge": "Acknowledge",
    "snooze": "Snooze",
    "wake": "End snooze",
    "assign": "Assign",
    "resolve": "Resolve",
    "comment": "Comment",
}
SNOOZES = {"60": "1 hour", "240": "4 hours", "1440": "1 day", "10080": "1 week"}  # minutes


class HandlingForm(forms.Form):
    """An action and what it needs: how long to snooze, whom to assign, what to say."""

    action = forms.ChoiceField(choices=list(ACTIONS.items()))
    minutes = forms.ChoiceField(choices=list(SNOOZES.items()), required=False)
    user = forms.ModelChoiceField(queryset=User.objects.none(), required=False)
    text = forms.CharField(max_length=2000, required=False)

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Who can see to an incident.
        self.members = User.objects.filter(memberships__workspace=workspace, is_active=True).order_by("name", "email")
        self.fields["user"].queryset = self.members  # type: ignore[attr-defined] # of the ModelChoiceField above

    def clean(self) -> dict[str, Any]:
        """What the action needs must be there."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("action") == "snooze":
            if not data.get("minutes"):
                self.add_error("minutes", "Say for how long.")
            else:
                data["duration"] = timedelta(minutes=int(data["minutes"]))
        if data.get("action") == "comment" and not data.get("text", "").strip():
            self.add_error("text", "Write something.")
        return data
