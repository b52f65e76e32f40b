"""The form of an alert rule: a sentence of selects and figures, read from a POST or from the preview's address."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms

from conversations.alerts.metrics import EVENTS, METRICS, Source, figure_words
from conversations.alerts.sentences import length
from conversations.alerts.spec import wrong_with
from conversations.audit.model import FactKind
from conversations.models import Channel, LedgerEntry, Rule
from conversations.vocabulary import Aggregation, Direction, GroupBy, NoData

_GROUPS = {
    Source.COMPACTIONS: "Compactions, and what they lost",
    Source.DAYS: "Days",
    Source.REVIEWS: "What reviewers say",
    Source.VERDICTS: "What reviewers say of findings",
    Source.OPINIONS: "Whether reviewers agree",
    Source.JUDGEMENTS: "Whether reviewers agree, beyond chance",
    Source.ARRIVALS: "Whether data arrive",
    Source.BATCHES: "What arrives",
}
_AGGREGATIONS = {
    Aggregation.EACH: "each one",
    Aggregation.COUNT: "how many",
    Aggregation.SUM: "in all",
    Aggregation.MEAN: "on average",
    Aggregation.SHARE: "share with any (percent)",
    Aggregation.P50: "median",
    Aggregation.P95: "95th percentile",
    Aggregation.MAX: "highest",
    Aggregation.ALPHA: "Krippendorff’s α",
}
_DIRECTIONS = {
    Direction.ABOVE: "is above",
    Direction.BELOW: "is below",
    Direction.RISES: "rises, against the time before, by more percent than",
    Direction.FALLS: "falls, against the time before, by more percent than",
}
_NO_DATA = {
    NoData.IGNORE: "leave it out",
    NoData.TELL: "tell people",
    NoData.KEEP: "stay as it was",
    NoData.OK: "take it as well",
}
_BY = {
    "": "everything together",
    GroupBy.AGENT: "each agent",
    GroupBy.VERSION: "each version of an agent",
    GroupBy.MODEL: "each model",
    GroupBy.CONVERSATION: "each conversation",
    GroupBy.LEDGER_ENTRY: "each rule of the ledger",
}
_WINDOWS = (5, 15, 30, 60, 180, 360, 720, 1440, 4320, 10_080, 20_160)
_QUIETS = (60, 360, 1440, 4320, 10_080, 43_200)
_SETTLES = (0, 2, 5, 15, 60, 360)
_REMINDERS = (60, 240, 1440, 10_080)
#: What says which agents, models and facts count, in the order of the form.
CHOOSING = ("agent_name", "agent_version", "model", "fact_kind", "least_importance", "ledger_entry")
DETAILS = (
    "clear", "clear_in_a_row", "minimum_sample", "no_data", "quiet_minutes", "settle_minutes", "remind_minutes",
    "tells_resolved",
)  # fmt: skip


def metric_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """By source, as a select groups them."""
    return [
        (label, [(key, metric.label) for key, metric in METRICS.items() if metric.source == source])
        for source, label in _GROUPS.items()
    ]


def _minutes(options: Iterable[int]) -> list[tuple[int, str]]:
    return [(minutes, length(timedelta(minutes=minutes)) if minutes else "not at all") for minutes in options]


def _select(label: str, choices: dict[Any, str], *, required: bool = True) -> forms.ChoiceField:
    pairs = [(getattr(value, "value", value), words) for value, words in choices.items()]
    return forms.ChoiceField(label=label, choices=pairs, required=required)


class _Number(forms.NumberInput):
    """5 and not 5.0."""

    def format_value(self, value: Any) -> str | None:
        """As people write it."""
        return f"{value:.12g}" if isinstance(value, float) else super().format_value(value)


def _figure(label: str, *, required: bool = False) -> forms.FloatField:
    widget = _Number(attrs={"step": "any", "inputmode": "decimal"})
    return forms.FloatField(label=label, required=required, widget=widget)


def _text(label: str, most: int, list_: str) -> forms.CharField:
    attrs = {"list": list_, "placeholder": "any"}
    return forms.CharField(label=label, required=False, max_length=most, widget=forms.TextInput(attrs=attrs))


class RuleForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """As in: when facts forgotten, each one, is above 5, for 2 in a row, of agent coder, tell #agents."""

    metric = forms.ChoiceField(label="When")
    aggregation = _select("taken as", _AGGREGATIONS)
    window_minutes = forms.TypedChoiceField(label="over", coerce=int)
    direction = _select("side", _DIRECTIONS)
    warning = _figure("warning at")
    critical = _figure("critical at")
    in_a_row = forms.IntegerField(label="times in a row", min_value=1, max_value=100)
    agent_name = _text("Agent", 200, "agents")
    agent_version = _text("Version", 100, "versions")
    model = _text("Model", 200, "models")
    fact_kind = _select("Kind of fact", {"": "any"} | {kind.value: kind.value for kind in FactKind}, required=False)
    ledger_entry = forms.ChoiceField(label="Entry of the ledger", required=False)
    least_importance = forms.FloatField(
        label="Importance from",
        min_value=0,
        max_value=1,
        required=False,
        widget=_Number(attrs={"step": "0.05"}),
        help_text="0 to 1, of facts.",
    )
    group_by = _select("looked at", _BY, required=False)
    clear = _figure("It is over at")
    clear_in_a_row = forms.IntegerField(label="and so often in a row", min_value=1, max_value=100)
    minimum_sample = forms.IntegerField(label="Fewest events for a figure", min_value=1, max_value=1_000_000)
    no_data = _select("Without data", _NO_DATA)
    quiet_minutes = forms.TypedChoiceField(label="It ends without data after", coerce=int)
    settle_minutes = forms.TypedChoiceField(label="Wait for late data", coerce=int)
    remind_minutes = forms.TypedChoiceField(label="Tell again every", coerce=int, required=False, empty_value=None)
    tells_resolved = _select("When it is over", {True: "tell that too", False: "say nothing"}, required=False)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), label="Tell", required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Rule
        fields = (
            "name", "metric", "aggregation", "window_minutes", "direction", "warning", "critical", "in_a_row",
            "agent_name", "agent_version", "model", "fact_kind", "least_importance", "ledger_entry", "group_by",
            "clear", "clear_in_a_row", "minimum_sample", "no_data", "quiet_minutes", "settle_minutes", "remind_minutes",
            "tells_resolved", "note",
        )  # fmt: skip
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metric"].choices = metric_choices()  # type: ignore[attr-defined]
        for name, options in (("window_minutes", _WINDOWS), ("quiet_minutes", _QUIETS), ("settle_minutes", _SETTLES)):
            self._offer(name, options)
        self._offer("remind_minutes", _REMINDERS, none="never")
        self._offer_entries()
        self.fields["note"].required = False
        self.fields["note"].label = "What to do then"
        channels = Channel.objects.filter(workspace=self.instance.workspace_id).order_by("name")
        self.fields["channels"].queryset = channels  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["channels"].initial = self.instance.channels.all()

    def _offer(self, name: str, options: Iterable[int], *, none: str = "") -> None:
        """The usual times, and the rule's own."""
        own = getattr(self.instance, name)
        times = sorted({*options, *([own] if own is not None else [])})
        field: Any = self.fields[name]
        field.choices = [("", none), *_minutes(times)] if none else _minutes(times)

    def _offer_entries(self) -> None:
        """Those in force, and the rule's own."""
        rows = LedgerEntry.objects.active().filter(workspace=self.instance.workspace_id)
        names = {*rows.values_list("name", flat=True), self.instance.ledger_entry} - {""}
        field: Any = self.fields["ledger_entry"]
        field.choices = [("", "any"), *((name, name) for name in sorted(names))]

    def clean_least_importance(self) -> float:
        """Left empty, any will do."""
        return self.cleaned_data["least_importance"] or 0.0

    def clean_tells_resolved(self) -> bool:
        """Left out, as in an address of a preview, it is told."""
        return bool(self.cleaned_data["tells_resolved"] != "False")

    def _get_validation_exclusions(self) -> set[str]:
        """The database's check of thresholds does not say which field is wrong; `wrong_with` does."""
        return {*super()._get_validation_exclusions(), "warning", "critical"}  # type: ignore[misc] # no stub

    def _post_clean(self) -> None:
        """As files and the API are checked."""
        super()._post_clean()  # type: ignore[misc] # Django's hook has no stub
        if not self.errors:
            for field, message in wrong_with(self.instance):
                said = self._unfit_figure() if field == "aggregation" else message
                self.add_error(field if field in self.fields else None, said)

    def _unfit_figure(self) -> str:
        """In the words of the select, not in those of files."""
        metric = METRICS[self.instance.metric]
        known = ", ".join(f"“{_AGGREGATIONS[each]}”" for each in metric.aggregations)
        return f"“{metric.label}” cannot be taken so. Choose {known}."

    @property
    def events(self) -> str:
        """What is counted: "compactions", as the metric has it."""
        metric = METRICS.get(self["metric"].value() or "")
        return f"{EVENTS[metric.source]}s" if metric else "events"

    @property
    def figure(self) -> str:
        """How the metric's figure is made, in words."""
        metric, aggregation = METRICS.get(self["metric"].value() or ""), self["aggregation"].value()
        return figure_words(metric, Aggregation(aggregation)) if metric and aggregation in set(Aggregation) else ""


class ImportForm(forms.Form):
    """Rules as YAML: a file, or its text."""

    file = forms.FileField(label="File", required=False)
    text = forms.CharField(
        label="or its text", required=False, widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        """One of both."""
        data: dict[str, Any] = super().clean() or {}
        file = data.get("file")
        if file is not None:
            try:
                data["text"] = file.read(1_000_001).decode()
            except UnicodeDecodeError:
                self.add_error("file", "This is not a text file.")
        if not data.get("text"):
            self.add_error(None, "Choose a file, or paste its text.")
        return data
