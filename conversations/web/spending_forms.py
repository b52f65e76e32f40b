"""The form of prices: what people may type, and what is wrong with it."""

from typing import Any

from django import forms

from conversations.models import ModelPrice


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
