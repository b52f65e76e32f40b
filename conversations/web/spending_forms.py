"""Forms of budgets and prices: what people may type, and what is wrong with it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.models import Budget, ModelPrice
from conversations.spending.messages import VARIABLES, unknown_variables
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope

_SCOPES = {
    BudgetScope.CONVERSATION: "each conversation",
    BudgetScope.AGENT: "each agent, all its conversations together",
    BudgetScope.WORKSPACE: "the whole workspace",
}
_METRICS = {
    BudgetMetric.TOTAL_TOKENS: "tokens, input and output",
    BudgetMetric.INPUT_TOKENS: "input tokens",
    BudgetMetric.OUTPUT_TOKENS: "output tokens",
    BudgetMetric.COMPACTION_TOKENS: "tokens spent on compacting",
    BudgetMetric.COMPACTIONS: "compactions",
    BudgetMetric.REQUESTS: "requests",
    BudgetMetric.COST: "US dollars",
}
_ACTIONS = {
    BudgetAction.TELL: "tell people, and let the agent go on",
    BudgetAction.WRAP_UP: "have the agent wrap up: it gets the message once, and stops",
    BudgetAction.BLOCK: "block: nothing more is sent",
}


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """As in: no conversation of coder above 3,000,000 tokens, warn at 80 %, then wrap up."""

    scope = forms.ChoiceField(label="For", choices=[(s.value, label) for s, label in _SCOPES.items()])
    agent_name = forms.CharField(
        label="Of the agent",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "agents", "placeholder": "any agent"}),
    )
    limit = forms.DecimalField(
        label="Not more than",
        min_value=Decimal("0.0001"),
        max_digits=18,
        decimal_places=4,
        localize=False,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "3000000"}),
    )
    metric = forms.ChoiceField(label="Of", choices=[(m.value, label) for m, label in _METRICS.items()])
    warn_percent = forms.IntegerField(label="Warn at (percent of it)", min_value=1, max_value=100)
    action = forms.ChoiceField(label="At the limit", choices=[(a.value, label) for a, label in _ACTIONS.items()])
    message = forms.CharField(
        label="Message at the limit",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Left empty: a plain sentence. It may hold {', '.join(f'{{{name}}}' for name in VARIABLES)}.",
    )

    class Meta:
        model = Budget
        fields = ("name", "scope", "agent_name", "limit", "metric", "warn_percent", "action", "message")

    def clean_name(self) -> str:
        """One budget a name."""
        name: str = self.cleaned_data["name"]
        others = Budget.objects.filter(workspace=self.instance.workspace_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError("There is a budget of this name. Choose another.")
        return name

    def clean_message(self) -> str:
        """A misspelt variable would reach the agent as it stands."""
        message: str = self.cleaned_data["message"]
        unknown = unknown_variables(message)
        if unknown:
            raise ValidationError(f"{', '.join(f'{{{name}}}' for name in unknown)} stands for nothing.")
        return message

    def clean(self) -> dict[str, Any]:
        """The whole workspace has no one agent."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("scope") == BudgetScope.WORKSPACE and data.get("agent_name"):
            self.add_error("agent_name", "A budget for the whole workspace counts every agent. Leave this empty.")
        return data


def _dollars(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_digits=12, decimal_places=6, widget=forms.NumberInput(attrs={"step": "any"})
    )


class PriceForm(forms.ModelForm):  # type: ignore[type-arg] # as above
    """What is paid for models of a name, from a day on."""

    pattern = forms.CharField(
        label="Model",
        max_length=200,
        help_text="As in the data, or without provider and date; * is anything.",
        widget=forms.TextInput(attrs={"placeholder": "claude-opus-5, gpt-*"}),
    )
    since = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Left empty: always. Days are UTC.",
    )
    input_usd = _dollars("Input")
    cache_read_usd = _dollars("Read from the cache")
    cache_write_usd = _dollars("Written to the cache")
    output_usd = _dollars("Output")
    window = forms.IntegerField(
        label="Context window", required=False, min_value=1, max_value=2**62, help_text="Tokens it can hold, if known."
    )

    class Meta:
        model = ModelPrice
        fields = ("pattern", "since", "input_usd", "cache_read_usd", "cache_write_usd", "output_usd", "window")

    def clean(self) -> dict[str, Any]:
        """One price a model and day: a row is never changed, so that what was paid stays what it was."""
        data: dict[str, Any] = super().clean() or {}
        same = ModelPrice.objects.filter(
            workspace=self.instance.workspace_id, pattern=data.get("pattern"), since=data.get("since")
        )
        if same.exists():
            self.add_error("since", "There is a price of this model from this day on. Delete that one first.")
        return data
