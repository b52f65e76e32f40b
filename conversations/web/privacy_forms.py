"""Forms of retention, holds and deletions: what people may type, and what is wrong with it."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.models import Conversation, Hold, RetentionRule, Workspace

_MOST_NEEDLES = 20
_SHORTEST = 3  # characters; less would be found everywhere
_MOST_DAYS = 36_500
_FOR_EVER = "Days since the last activity. Left empty: until somebody deletes them."


class DaysForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """How long the workspace keeps what has no rule of its own."""

    raw_days = forms.IntegerField(
        label="Keep bytes as they came for (days)",
        min_value=1,
        max_value=_MOST_DAYS,
        help_text="With them an improved parser can read the same input again. Kept four times as long where something"
        " was not understood.",
    )
    conversation_days = forms.IntegerField(
        label="Keep conversations for (days)",
        required=False,
        min_value=1,
        max_value=_MOST_DAYS,
        help_text=_FOR_EVER,
    )

    class Meta:
        model = Workspace
        fields = ("raw_days", "conversation_days")


class RuleForm(forms.ModelForm):  # type: ignore[type-arg] # as above
    """The same for one agent."""

    agent_name = forms.CharField(
        label="Agent", max_length=200, widget=forms.TextInput(attrs={"list": "agents", "placeholder": "coder"})
    )
    raw_days = forms.IntegerField(label="Keep bytes for (days)", min_value=1, max_value=_MOST_DAYS)
    conversation_days = forms.IntegerField(
        label="Keep conversations for (days)",
        required=False,
        min_value=1,
        max_value=_MOST_DAYS,
        help_text=_FOR_EVER,
    )

    class Meta:
        model = RetentionRule
        fields = ("agent_name", "raw_days", "conversation_days")


class HoldForm(forms.Form):
    """What is not to be deleted, and why."""

    agent_name = forms.CharField(
        label="All of an agent", required=False, max_length=200, widget=forms.TextInput(attrs={"list": "agents"})
    )
    conversation = forms.CharField(
        label="or one conversation",
        required=False,
        max_length=500,
        help_text="The address of its page, or its number in it.",
    )
    reason = forms.CharField(label="Why", max_length=300)

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workspace = workspace

    def clean_conversation(self) -> Conversation | None:
        """By the last number of what was typed."""
        text = self.cleaned_data["conversation"].strip()
        if not text:
            return None
        numbers = re.findall(r"[0-9]{1,18}", text)
        ours = Conversation.objects.filter(workspace=self._workspace)
        found = ours.filter(pk=int(numbers[-1])).first() if numbers else None
        if found is None:
            raise ValidationError("There is no such conversation here.")
        return found

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        values = self.cleaned_data
        if not self.errors and bool(values.get("agent_name")) == bool(values.get("conversation")):
            raise ValidationError("Name an agent, or a conversation, and not both.")
        return values

    def hold(self) -> Hold:
        """Not saved yet."""
        values = self.cleaned_data
        conversation = values["conversation"]
        return Hold(
            workspace=self._workspace,
            agent_name=values["agent_name"],
            conversation=conversation,
            reason=values["reason"],
        )


class PersonForm(forms.Form):
    """By what somebody is known in conversations."""

    texts = forms.CharField(
        label="What they are known by",
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "jane.doe@example.org\nJane Doe"}),
        help_text="One a line: names, addresses, customer numbers. Capitals make no difference.",
    )

    def clean_texts(self) -> list[str]:
        """The lines, each once."""
        lines = list(dict.fromkeys(line.strip() for line in self.cleaned_data["texts"].splitlines() if line.strip()))
        if short := [line for line in lines if len(line) < _SHORTEST]:
            raise ValidationError(f"“{short[0]}” is too short: it would be found everywhere.")
        if len(lines) > _MOST_NEEDLES:
            raise ValidationError(f"At most {_MOST_NEEDLES} lines at once.")
        return lines


class TypedNameForm(forms.Form):
    """The name of what is to be deleted, typed so that nobody does it by mistake."""

    name = forms.CharField(label="Type the workspace's name", max_length=200)

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name
        self.fields["name"].help_text = f"{name}, as it is written here."

    def clean_name(self) -> str:
        """Exactly."""
        if self.cleaned_data["name"] != self._name:
            raise ValidationError("That is not its name.")
        return self._name
