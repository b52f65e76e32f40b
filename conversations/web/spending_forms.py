"""The form of prices: what people may type, and what is wrong with it."""

from typing import Any

from django import forms

from conversations.models import ModelPrice
from conversations.spending.terms import LENGTHS, TIERS


def _dollars(label: str, *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=0,
        max_digits=12,
        decimal_places=6,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="" if required else "Left empty: as the line above.",
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
    tier = forms.ChoiceField(
        label="For calls of tier",
        required=False,
        choices=[(tier, words) for tier, words in TIERS.items()],
        help_text="As the provider tells it of each call. Where it does not, standard is taken.",
    )
    over_tokens = forms.TypedChoiceField(
        label="For prompts",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[(0, "of any length"), *((mark, f"beyond {mark:,} tokens") for mark in LENGTHS)],
        help_text="Of several that fit, that for the longest holds, for the whole of the call.",
    )
    input_usd = _dollars("Input")
    cache_read_usd = _dollars("Read from the cache")
    cache_write_usd = _dollars("Written to the cache")
    cache_write_1h_usd = _dollars("Written to the cache for an hour", required=False)
    output_usd = _dollars("Output")
    window = forms.IntegerField(
        label="Context window", required=False, min_value=1, max_value=2**62, help_text="Tokens it can hold, if known."
    )

    class Meta:
        model = ModelPrice
        fields = (
            "pattern", "since", "tier", "over_tokens", "input_usd", "cache_read_usd", "cache_write_usd",
            "cache_write_1h_usd", "output_usd", "window",
        )  # fmt: skip

    def clean_over_tokens(self) -> int:
        """Of any length where nothing is chosen."""
        return self.cleaned_data["over_tokens"] or 0

    def clean(self) -> dict[str, Any]:
        """One price for the same calls and day: a row is never changed, so that what was paid stays what it was."""
        data: dict[str, Any] = super().clean() or {}
        same = ModelPrice.objects.filter(
            workspace=self.instance.workspace_id,
            **{name: data.get(name) for name in ("pattern", "since", "tier", "over_tokens")},
        )
        if same.exists():
            self.add_error("since", "There is a price for the same calls from this day on. Delete that one first.")
        return data
