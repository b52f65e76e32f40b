"""The form of a queue: its settings, the rows of its rubric, and what flows in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from conversations.models import Queue
from conversations.vocabulary import Sampling

SAMPLINGS = {
    Sampling.ALL: "all of them, as they came",
    Sampling.RANDOM: "a random share",
    Sampling.RISKIEST: "those with losses, the riskiest first",
    Sampling.DISAGREEMENT: "where people differ, or the auditor is unsure",
    Sampling.ONE_PER_VERSION: "the riskiest one of each agent version",
}
MOST_CRITERIA = 12
FEWEST_STEPS, MOST_STEPS = 2, 10
_LABEL = 60  # characters of a step's label


class QueueForm(forms.ModelForm):  # type: ignore[type-arg] # the class takes no arguments when run
    """Everything but the rubric and the filters, which are rows and selects of their own."""

    instructions = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Markdown. Reviewers see them beside each item.",
    )
    sampling = forms.ChoiceField(label="Of these", choices=[(s.value, label) for s, label in SAMPLINGS.items()])
    sample_percent = forms.IntegerField(
        label="Random share (percent)",
        min_value=1,
        max_value=100,
        help_text="The same ones whenever it is drawn.",
    )
    reviewers_per_item = forms.IntegerField(
        label="Reviewers per item", min_value=1, max_value=20, help_text="Never more people than this judge an item."
    )
    blind = forms.BooleanField(
        required=False, label="Blind: hide what the machine found until the person has judged"
    )  # fmt: skip
    reservation_minutes = forms.IntegerField(
        label="Reserved for (minutes)", min_value=1, max_value=10_080,
        help_text="An item goes back when nobody has typed for so long; drafts are kept.",
    )  # fmt: skip
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    goal_per_week = forms.IntegerField(
        label="Goal: reviews a week",
        required=False,
        min_value=1,
        max_value=100_000,
        help_text="Of all people.",
    )

    class Meta:
        model = Queue
        fields = (
            "name", "instructions", "sampling", "sample_percent", "reviewers_per_item", "blind", "reservation_minutes",
            "due_on", "goal_per_week",
        )  # fmt: skip

    def clean_name(self) -> str:
        """One queue a name."""
        name: str = self.cleaned_data["name"]
        others = Queue.objects.filter(workspace=self.instance.workspace_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError("There is a queue of this name. Choose another.")
        return name


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion as it stands in the form. `steps`: labels of its scale from the worst on, one a line."""

    number: int
    key: str = ""
    name: str = ""
    help: str = ""
    steps: str = ""
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, criterion: Mapping[str, Any]) -> "CriterionRow":
        """Of a stored one."""
        labels = "\n".join(step["label"] for step in criterion["scale"])
        return cls(number, criterion["key"], criterion["name"], criterion["help"], labels)

    @classmethod
    def read(cls, number: int, given: Mapping[str, str]) -> "CriterionRow":
        """As it was typed."""
        key, name, text, steps = (
            given.get(f"criterion-{number}-{part}", "").strip() for part in ("key", "name", "help", "steps")
        )
        row = cls(number, slugify(key)[:40], name[:120], text[:500], steps)
        return replace(row, errors=list(row.wrong()))

    def labels(self) -> list[str]:
        """Of the scale."""
        return [line.strip()[:_LABEL] for line in self.steps.splitlines() if line.strip()]

    def wrong(self) -> Iterator[str]:
        """What is wrong with it; a row without a name is none."""
        if self.name and not FEWEST_STEPS <= len(self.labels()) <= MOST_STEPS:
            yield f"A scale has {FEWEST_STEPS} to {MOST_STEPS} steps, one a line."


@dataclass(frozen=True, slots=True)
class RubricForm:
    """The rows of a rubric, and an empty one to add another."""

    rows: list[CriterionRow]

    @classmethod
    def of(cls, rubric: list[dict[str, Any]]) -> "RubricForm":
        """Of a stored rubric."""
        return cls([CriterionRow.of(number, each) for number, each in enumerate(rubric)])

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "RubricForm":
        """As it was typed; rows without a name are left out."""
        rows = [CriterionRow.read(number, given) for number in range(MOST_CRITERIA)]
        return cls([row for row in rows if row.name])

    def with_empty(self) -> "RubricForm":
        """With an empty row after the others, numbered anew."""
        rows = [
            CriterionRow(at, row.key, row.name, row.help, row.steps, row.errors) for at, row in enumerate(self.rows)
        ]
        return RubricForm(rows if len(rows) == MOST_CRITERIA else [*rows, CriterionRow(len(rows))])

    def is_valid(self) -> bool:
        """Whether every row can be stored."""
        return not any(row.errors for row in self.rows)

    def rubric(self) -> list[dict[str, Any]]:
        """To be stored. A criterion keeps its key when it is renamed; a new one's comes from its name."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            key = _free(row.key or slugify(row.name)[:40] or "criterion", found)
            scale = [{"value": value, "label": label} for value, label in enumerate(row.labels(), start=1)]
            found[key] = {"key": key, "name": row.name, "help": row.help, "scale": scale}
        return list(found.values())


def _free(key: str, taken: Mapping[str, Any]) -> str:
    number = 2
    found = key
    while found in taken:
        found, number = f"{key}-{number}", number + 1
    return found
