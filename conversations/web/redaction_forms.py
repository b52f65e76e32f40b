"""Forms of redaction: when and what, and patterns of the team's own."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.models import RedactionPattern, Workspace
from conversations.redaction.detectors import DETECTORS
from conversations.redaction.expressions import MOST_CHARACTERS, BadExpression, custom
from conversations.redaction.redactor import NAME
from conversations.vocabulary import Redaction

#: Each is a pass over every text.
MOST_PATTERNS = 50
_SAMPLE_CHARACTERS = 20_000
_BYTES = "The bytes as they came are deleted once they are digested, within seconds, and cannot be digested again."
_HIDDEN = (
    "What is found is hidden from everybody, in pages, searches, exports, the API and what is sent; owners can have it "
    "shown to them for 15 minutes, which is written down. It applies to what is stored already as well, and when it is "
    "turned off everything is shown as it came."
)
MODES = (
    (Redaction.OFF, "Off", "Texts are stored as they come."),
    (Redaction.DISPLAY, "Hidden", _HIDDEN),
    (
        Redaction.INGEST,
        "Before anything is stored",
        f"What comes is stored without what is found in it, for good: nobody can bring it back. {_BYTES}",
    ),
)


class RedactionForm(forms.Form):
    """When, and which detectors."""

    mode = forms.ChoiceField(label="When", choices=[(mode.value, title) for mode, title, _ in MODES])
    detectors = forms.MultipleChoiceField(
        label="What", required=False, choices=[(detector.name, detector.title) for detector in DETECTORS]
    )


class PatternForm(forms.Form):
    """A pattern, and a text to try it on."""

    name = forms.CharField(
        label="Name",
        max_length=40,
        widget=forms.TextInput(attrs={"placeholder": "order number"}),
        help_text="Stands in the place of what was found: [order number #a1b2c3].",
    )
    expression = forms.CharField(
        label="Expression",
        max_length=MOST_CHARACTERS,
        strip=False,
        widget=forms.TextInput(attrs={"placeholder": r"\bORD-\d{6}\b", "spellcheck": "false", "class": "mono"}),
        help_text="Of RE2, which takes linear time whatever it is given: no look-around, no back-references.",
    )
    sample = forms.CharField(
        label="A text to try it on",
        required=False,
        max_length=_SAMPLE_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="Stored nowhere.",
    )

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workspace = workspace

    def clean_name(self) -> str:
        """As it stands in placeholders, and not taken."""
        name = " ".join(self.cleaned_data["name"].lower().split())
        if not NAME.fullmatch(name):
            raise ValidationError("Letters of a to z, digits, spaces, dots and hyphens are taken.")
        if RedactionPattern.objects.filter(workspace=self._workspace, name=name).exists():
            raise ValidationError("There is a pattern of this name.")
        return name

    def clean_expression(self) -> str:
        """What RE2 reads."""
        expression: str = self.cleaned_data["expression"]
        try:
            custom(expression)
        except BadExpression as error:
            raise ValidationError(str(error)) from None
        return expression

    def clean(self) -> dict[str, Any]:
        """As many as are taken."""
        if RedactionPattern.objects.filter(workspace=self._workspace).count() >= MOST_PATTERNS:
            raise ValidationError(f"There are {MOST_PATTERNS} patterns, which is as many as are taken.")
        return self.cleaned_data


class StoredForm(forms.Form):
    """To redact what is stored is not undone."""

    sure = forms.BooleanField(
        label="I know that it cannot be undone",
        error_messages={"required": "Tick this first: what is taken out is gone."},
    )
