"""Labels made elsewhere: one line a compaction and labeller, taken as a review that nobody here made.

    {"conversation": external id, "source"?: "codex", "compaction": external id, or "number": 3, "labeller": "study A",
     "overall"?: "minor_loss", "criteria"?: {"completeness": 3}, "comment"?: "…",
     "labels"?: [{"fact": id of a finding, "answer": "agree", "reworded"?: "…"},
                 {"text": "a fact that the auditor has not", "kind"?: "rule", "outcome"?: "altered", "answer": …}]}

The same line again changes nothing; another line of the same labeller on the same compaction replaces the first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from django.db import transaction
from django.utils import timezone

from conversations.errors import BadInput
from conversations.models import Compaction, Review, Verdict, Workspace
from conversations.review.report_card import ELSEWHERE
from conversations.review.services import LONGEST_COMMENT
from conversations.review.snapshots import finding_as_judged
from conversations.vocabulary import Answer, Outcome, Overall

#: Of one line, and of one call.
MOST_LABELS, MOST_LINES = 5_000, 10_000


class Label(msgspec.Struct, forbid_unknown_fields=True):
    """One answer: on a finding of the auditor's (`fact`), or on a fact that the labeller states (`text`)."""

    answer: Answer
    fact: str = ""
    text: str = ""
    kind: str = ""
    outcome: Outcome = Outcome.FORGOTTEN
    reworded: str = ""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """What one labeller says of one compaction."""

    conversation: str
    labeller: str
    source: str = ""
    compaction: str = ""
    number: int | None = None
    overall: Overall | None = None
    criteria: dict[str, int] = {}
    comment: str = ""
    labels: list[Label] = []


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one line."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    review: int | None = None
    code: str = ""
    field: str = ""
    message: str = ""
    mend: str = ""


def take_labels(workspace: Workspace, lines: Iterable[bytes]) -> Iterator[Taken]:
    """Store each line by itself: one that cannot be taken is told of and keeps no other back."""
    for index, line in enumerate(lines):
        try:
            read = msgspec.json.decode(line, type=Line)
            review, is_new = _take(workspace, read, blake2b(msgspec.json.encode(read), digest_size=16).hexdigest())
        except msgspec.DecodeError as error:  # of which a ValidationError is one
            yield Taken(index, "rejected", code="bad_line", message=str(error), mend="See docs/evaluation.md.")
        except BadInput as error:
            yield Taken(index, "rejected", None, error.code, error.at, error.message, error.mend)
        else:
            yield Taken(index, "accepted" if is_new else "duplicate", review.pk)


@transaction.atomic
def _take(workspace: Workspace, line: Line, digest: str) -> tuple[Review, bool]:
    compaction = _compaction(workspace, line)
    if not line.labeller.strip():
        raise BadInput("Nobody is named.", mend="Say who labelled it.", at="labeller")
    if len(line.labels) > MOST_LABELS:
        raise BadInput("Too many labels.", mend=f"At most {MOST_LABELS:,} a line.", at="labels")
    made_by = line.labeller.strip()[:200]
    key: dict[str, Any] = {"workspace": workspace, "compaction": compaction, "made_by": made_by}
    review = Review.objects.select_for_update().filter(**key).first() or Review(**key)
    if review.made_from == digest:
        return review, False
    review.overall, review.criteria, review.made_from = line.overall or "", line.criteria, digest
    review.comment, review.submitted_at = line.comment[:LONGEST_COMMENT], timezone.now()
    review.save()
    Verdict.objects.filter(workspace=workspace, review=review).delete()
    Verdict.objects.bulk_create(_verdict(review, at, label) for at, label in enumerate(line.labels))
    return review, True


def _compaction(workspace: Workspace, line: Line) -> Compaction:
    rows = Compaction.objects.filter(workspace=workspace, conversation__external_id=line.conversation)
    if line.source:
        rows = rows.filter(conversation__source=line.source)
    if not line.compaction and line.number is None:
        raise BadInput("No compaction is named.", mend='Give its external id, or "number".', at="compaction")
    number = line.number or 0
    rows = rows.filter(external_id=line.compaction) if line.compaction else rows.filter(number=number)
    found = list(rows[:2])
    if not found:
        raise BadInput("There is no such compaction here.", mend="Import its conversation first.", at="compaction")
    if len(found) > 1:
        raise BadInput("Several sources have this conversation.", mend='Say which: "source".', at="source")
    return found[0]


def _verdict(review: Review, at: int, label: Label) -> Verdict:
    if bool(label.fact) == bool(label.text):
        raise BadInput("A label needs either a fact or a text.", mend="Give one of them.", at=f"labels[{at}]")
    if label.answer == Answer.REWORD and not label.reworded.strip():
        raise BadInput("The fact in other words is missing.", mend='Give "reworded".', at=f"labels[{at}].reworded")
    judged = finding_as_judged(review.compaction, label.fact) if label.fact else _stated(label)
    fact_id = label.fact or f"{ELSEWHERE}-{blake2b(label.text.encode(), digest_size=12).hexdigest()}"
    return Verdict(
        workspace_id=review.workspace_id, review=review, compaction_id=review.compaction_id, fact_id=fact_id,
        answer=label.answer, reworded=label.reworded[:LONGEST_COMMENT], **judged,
    )  # fmt: skip


def _stated(label: Label) -> dict[str, Any]:
    """A fact that the auditor does not have, as the labeller states it."""
    said = {"text": label.text[:LONGEST_COMMENT], "kind": label.kind[:30], "outcome": label.outcome.value}
    return said | {"number": 0, "detector": ELSEWHERE, "probability": 1.0, "auditor_version": ""}
