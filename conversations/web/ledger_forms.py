"""The form of an entry: what people type, which anchors it rests on, and what is wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from conversations.audit.anchors import kind_of, propose, stands_in
from conversations.audit.ledger_editing import name_for, wrong_with
from conversations.audit.model import FactKind
from conversations.models import LedgerEntry

_BETWEEN = re.compile(r"[\n,;]")


@dataclass(frozen=True, slots=True)
class Option:
    """An anchor that can be ticked. `proposed`: by the auditor, else by hand."""

    words: str
    ticked: bool
    proposed: bool


class LedgerForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """As in: "Never write to ledger_v1", of the agent coder, with the anchor ledger_v1.

    Anchors are ticked: those proposed of the words, and further ones typed. What was never offered counts as ticked, so
    that the form works in one step, too."""

    text = forms.CharField(
        label="Rule or fact",
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "Never write to ledger_v1: the auditors have frozen it."}
        ),
        help_text="One statement, as the agent is to know it.",
    )
    name = forms.CharField(
        label="Name", required=False, max_length=120, help_text="What alert rules and people call it.",
        widget=forms.TextInput(attrs={"placeholder": "the rule’s first words"}),
    )  # fmt: skip
    kind = forms.ChoiceField(label="Kind", required=False)
    agent_name = forms.CharField(
        label="Agent", required=False, max_length=200,
        widget=forms.TextInput(attrs={"list": "agents", "placeholder": "every agent"}),
    )  # fmt: skip
    agent_version = forms.CharField(
        label="Version", required=False, max_length=100,
        widget=forms.TextInput(attrs={"list": "versions", "placeholder": "every version"}),
    )  # fmt: skip
    more = forms.CharField(
        label="Further anchors", required=False, widget=forms.TextInput(attrs={"placeholder": "words of the rule, …"}),
        help_text="With commas between them.",
    )  # fmt: skip

    class Meta:
        model = LedgerEntry
        fields = ("text", "name", "kind", "agent_name", "agent_version")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [("", "as its words say"), *((kind.value, kind.value) for kind in FactKind)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def clean_kind(self) -> str:
        """Left empty, as the auditor reads it."""
        return self.cleaned_data["kind"] or kind_of(self.cleaned_data.get("text", ""))

    def clean_text(self) -> str:
        """On one line: it is one statement."""
        return " ".join(self.cleaned_data["text"].split())

    def _get_validation_exclusions(self) -> set[str]:
        """The database's check of versions does not say which field is wrong; `wrong_with` does."""
        return {*super()._get_validation_exclusions(), "agent_version"}  # type: ignore[misc] # no stub

    def _post_clean(self) -> None:
        """As the API is checked."""
        super()._post_clean()  # type: ignore[misc] # Django's hook has no stub
        if self.errors:
            return
        entry = self.instance
        entry.anchors = [option.words for option in self.options if option.ticked] + self._mistaken()
        entry.name = entry.name or name_for(entry.workspace, entry.text)
        for field, message in wrong_with(entry):
            self.add_error({"anchors": "more"}.get(field, field), message)

    @property
    def options(self) -> Sequence[Option]:
        """The anchors to choose among: of the words, ticked or offered before, and typed."""
        text = self["text"].value() or ""
        proposed = propose(" ".join(text.split()))
        ticked = self._ticked(proposed)
        words = dict.fromkeys([*proposed, *ticked])
        return [Option(each, each in ticked, each in proposed) for each in words if stands_in(each, text)]

    def _ticked(self, proposed: Sequence[str]) -> list[str]:
        if not self.is_bound:
            return list(self.instance.anchors) if self.instance.pk else list(proposed)
        sent: Any = self.data  # a QueryDict, which Django's stub does not say
        chosen, offered = sent.getlist("anchor"), sent.getlist("offered")
        return [*(each for each in proposed if each not in offered), *chosen, *self._typed()]

    def _typed(self) -> list[str]:
        return [words for part in _BETWEEN.split(self.data.get("more", "")) if (words := part.strip())]

    def _mistaken(self) -> list[str]:
        """Typed, and not words of the rule: to be told."""
        return [each for each in self._typed() if not stands_in(each, self.instance.text)]
