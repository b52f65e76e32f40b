"""Read what a verdict is about: the finding as it is now."""

from typing import Any

from conversations.errors import BadInput
from conversations.models import Addition, Compaction, CompactionAudit, Finding

#: Stands as outcome and detector in a verdict on an added statement.
ADDED = "added"


def finding_as_judged(compaction: Compaction, fact_id: str) -> dict[str, Any]:
    """The fields of a `Verdict` that say what was judged: a finding, or a statement of the summary without a source.

    Raises BadInput where the auditor says nothing of this fact (any more)."""
    rows: dict[str, Any] = {"workspace": compaction.workspace_id, "compaction": compaction.pk}
    found = Finding.objects.filter(fact_id=fact_id, **rows).first()
    added = None if found else Addition.objects.filter(fact_id=fact_id, **rows).first()
    if not (found or added):
        raise BadInput("The auditor says nothing of this fact any more.", mend="Load the page again.", at="fact_id")
    version = CompactionAudit.objects.filter(**rows).values_list("version", flat=True).first() or ""
    said = _of_finding(found) if found else _of_addition(added)  # type: ignore[arg-type] # one of them is there
    return said | {"auditor_version": version}


def _of_finding(row: Finding) -> dict[str, Any]:
    names = ("text", "kind", "outcome", "number", "detector", "probability")
    return {name: getattr(row, name) for name in names}


def _of_addition(row: Addition) -> dict[str, Any]:
    said = {"text": row.text, "kind": row.kind, "probability": row.probability}
    return said | {"outcome": ADDED, "detector": ADDED, "number": 0}
