"""Forms of budgets and of their overrides: what people may type, and what is wrong with it."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from conversations.models import Budget, BudgetOverride, Channel
from conversations.spending.messages import VARIABLES, unknown_variables
from conversations.tags import TAG_CHARACTERS, tag_of
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetPeriod, BudgetScope
from conversations.web.time_zones import time_zones

_SCOPES = {
    BudgetScope.CONVERSATION: "each conversation, or the one named",
    BudgetScope.AGENT: "each agent, or the one named",
    BudgetScope.AGENT_VERSION: "each version of an agent, or the one named",
    BudgetScope.TAG: "all conversations that have the tag, together",
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
_PERIODS = {
    BudgetPeriod.LIFE: "in its whole life",
    BudgetPeriod.HOUR: "an hour",
    BudgetPeriod.DAY: "a day",
    BudgetPeriod.WEEK: "a week, from Monday",
    BudgetPeriod.MONTH: "a month",
    BudgetPeriod.ROLLING: "in any so many hours or days",
}
_ACTIONS = {
    BudgetAction.TELL: "tell people, and let the agent go on",
    BudgetAction.WRAP_UP: "have the agent wrap up, then stop",
    BudgetAction.BLOCK: "block: nothing more is sent",
}
_DAY = 24
_UNITS = {"1": "hours", str(_DAY): "days"}
#: A rolling window goes back a year at most.
_MOST_HOURS = 366 * _DAY
_MOST_LEVELS = 5
#: Which fields may name somebody, by scope; what others name would never be looked at.
_MAY_NAME = {
    BudgetScope.CONVERSATION: {"agent_name", "conversation_name", "tag_name"},
    BudgetScope.TAG: {"tag_name"},
    BudgetScope.AGENT: {"agent_name"},
    BudgetScope.AGENT_VERSION: {"agent_name", "agent_version"},
    BudgetScope.WORKSPACE: set(),
}


def _limit(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal("0.0001"),
        max_digits=18,
        decimal_places=4,
        localize=False,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "3000000"}),
    )


def _name(label: str, most: int, listed: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"list": listed, "placeholder": "any"})
    return forms.CharField(label=label, required=False, max_length=most, widget=widget)


def _choices(labels: dict[Any, str]) -> list[tuple[str, str]]:
    return [(each.value, label) for each, label in labels.items()]


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """As in: no conversation of coder above 3,000,000 tokens, warn at 80 %, then wrap up."""

    scope = forms.ChoiceField(label="For", choices=_choices(_SCOPES))
    agent_name = _name("Agent", 200, "agents")
    agent_version = _name("Its version", 100, "versions")
    conversation_name = _name("Conversation, by its source's id", 512, "conversations")
    tag_name = _name("Tag", TAG_CHARACTERS, "tags")
    limit = _limit("Not more than")
    metric = forms.ChoiceField(label="Of", choices=_choices(_METRICS))
    period = forms.ChoiceField(label="Counted", choices=_choices(_PERIODS))
    rolling_count = forms.IntegerField(label="So many", required=False, min_value=1, max_value=_MOST_HOURS)
    rolling_unit = forms.ChoiceField(label="hours or days", required=False, choices=list(_UNITS.items()))
    time_zone = forms.ChoiceField(
        label="Days, weeks and months begin in",
        required=False,
        help_text="With daylight saving: the days on which clocks change have 23 or 25 hours.",
    )
    warnings = forms.CharField(
        label="Warn at (percent of it)",
        required=False,
        max_length=60,
        help_text="Several with commas between, as in 50, 80, 95. Left empty: no warning before the limit.",
    )
    action = forms.ChoiceField(label="At the limit", choices=_choices(_ACTIONS))
    message = forms.CharField(
        label="Message at the limit",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Left empty: a plain sentence. It may hold {', '.join(f'{{{name}}}' for name in VARIABLES)}.",
    )
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), label="Tell", required=False, widget=forms.CheckboxSelectMultiple
    )
    remind_minutes = forms.TypedChoiceField(
        label="Tell again every",
        coerce=int,
        required=False,
        empty_value=None,
        choices=[("", "never"), (60, "1 h"), (240, "4 h"), (1440, "1 d"), (10_080, "7 d")],
        help_text="While it lasts, until somebody acknowledges it.",
    )

    class Meta:
        model = Budget
        fields = (
            "name", "scope", "agent_name", "agent_version", "conversation_name", "tag_name", "limit", "metric",
            "period", "rolling_count", "rolling_unit", "time_zone", "warnings", "action", "message",
            "remind_minutes",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        budget: Budget = self.instance
        self.fields["channels"].queryset = Channel.objects.filter(workspace=budget.workspace_id).order_by("name")  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(zone, zone) for zone in time_zones()]  # type: ignore[attr-defined]
        self.initial["warnings"] = ", ".join(map(str, budget.warn_percents))
        if budget.limit is not None:
            self.initial["limit"] = f"{Decimal(budget.limit).normalize():f}"
        if budget.pk:
            self.initial["channels"] = budget.channels.all()
        if hours := budget.rolling_hours:
            unit = _DAY if hours % _DAY == 0 else 1
            self.initial["rolling_count"], self.initial["rolling_unit"] = hours // unit, str(unit)

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

    def clean_tag_name(self) -> str:
        """As tags are stored."""
        return _clean_tag(self.cleaned_data["tag_name"])

    def clean_warnings(self) -> list[int]:
        """Each once, from the lowest."""
        texts = [text for text in re.split(r"[\s,;%]+", self.cleaned_data["warnings"]) if text]
        if any(not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100 for text in texts):  # noqa: PLR2004 -- percent
            raise ValidationError("Write whole numbers from 1 to 100, as in 50, 80.")
        levels = sorted({int(text) for text in texts})
        if len(levels) > _MOST_LEVELS:
            raise ValidationError(f"At most {_MOST_LEVELS} warnings: more would not be heeded.")
        return levels

    def clean_time_zone(self) -> str:
        """UTC where nothing is chosen."""
        return self.cleaned_data["time_zone"] or "UTC"

    def clean(self) -> dict[str, Any]:
        """Who may be named depends on the scope; a rolling period needs its length."""
        data: dict[str, Any] = super().clean() or {}
        for field in ("agent_name", "agent_version", "conversation_name", "tag_name"):
            if data.get("scope") and data.get(field) and field not in _MAY_NAME[data["scope"]]:
                self.add_error(field, f"A budget for {_SCOPES[data['scope']]} names none. Leave this empty.")
        if data.get("agent_version") and not data.get("agent_name"):
            self.add_error("agent_name", "Whose version is it? Name the agent.")
        if data.get("scope") == BudgetScope.TAG and not data.get("tag_name") and "tag_name" not in self.errors:
            self.add_error("tag_name", "Which tag? Name it.")
        self._clean_rolling(data)
        return data

    def _clean_rolling(self, data: dict[str, Any]) -> None:
        if data.get("period") != BudgetPeriod.ROLLING:
            self.instance.rolling_hours = None
            return
        hours = (data.get("rolling_count") or 0) * int(data.get("rolling_unit") or "1")
        if not 0 < hours <= _MOST_HOURS:
            self.add_error("rolling_count", "How many hours or days? A year at most.")
        self.instance.rolling_hours = hours or 1

    def _post_clean(self) -> None:
        self.instance.warn_percents = self.cleaned_data.get("warnings", [])
        super()._post_clean()  # type: ignore[misc] # of Django's own forms

    def save_with_channels(self) -> Budget:
        """The budget, and where it tells people."""
        budget: Budget = self.save()
        budget.channels.set(self.cleaned_data["channels"], through_defaults={"workspace": budget.workspace})
        return budget


def _clean_tag(written: str) -> str:
    tag = tag_of(written)
    if written.strip() and not tag:
        raise ValidationError(f"This is no tag: at most {TAG_CHARACTERS} characters, without commas.")
    return tag


_LASTS = {"1": "an hour", "4": "4 hours", "24": "a day", "168": "a week", "720": "30 days"}


class OverrideForm(forms.ModelForm):  # type: ignore[type-arg] # as above
    """As in: this run may use 5 M until tomorrow, for it is nearly done."""

    limit = _limit("May use")
    conversation_name = _name("Conversation, by its source's id", 512, "conversations")
    agent_name = _name("Agent", 200, "agents")
    tag_name = _name("Conversations tagged", TAG_CHARACTERS, "tags")
    hours = forms.ChoiceField(label="For", choices=list(_LASTS.items()), initial=str(_DAY))
    reason = forms.CharField(label="Because", max_length=500)

    class Meta:
        model = BudgetOverride
        fields = ("limit", "conversation_name", "agent_name", "tag_name", "hours", "reason")

    def clean_tag_name(self) -> str:
        """As tags are stored."""
        return _clean_tag(self.cleaned_data["tag_name"])

    def _post_clean(self) -> None:
        hours = int(self.cleaned_data.get("hours", _DAY))
        self.instance.expires_at = timezone.now() + timedelta(hours=hours)
        super()._post_clean()  # type: ignore[misc] # as above
