"""What people judged as an evaluation set: one row a compaction with its summary, facts and labels, and a data card."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversations.audit.queries import event_of, summary_of
from conversations.audit.segment import lines_of
from conversations.models import Compaction, Finding, Mark, Message, Review, Verdict, Workspace
from conversations.redaction.redactor import Redactor
from conversations.review.redacted_set import redacted_row
from conversations.review.veiling import NO_VEIL, Veil
from conversations.vocabulary import Marked

#: Compactions that are read at once: with the texts of what they dropped, 20 of the longest real ones are 100 MB.
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes out: texts of the dropped messages; people by name and not as reviewer-1; reviews since a day."""

    texts: bool = False
    names: bool = False
    since: datetime | None = None
    redactor: Redactor | None = None  # for what goes out; None: as it is stored
    veil: Veil = NO_VEIL  # compactions that stay out, because whoever asks is judging them blindly


def judged_compactions(workspace: Workspace, wanted: Wanted) -> list[int]:
    """Ids of the compactions with a review that was handed in, in order."""
    return sorted(set(_reviews(workspace, wanted).values_list("compaction_id", flat=True)))


def _reviews(workspace: Workspace, wanted: Wanted) -> Any:
    rows = Review.objects.filter(workspace=workspace, submitted_at__isnull=False)
    rows = rows.exclude(compaction__in=wanted.veil) if wanted.veil else rows
    return rows.filter(submitted_at__gte=wanted.since) if wanted.since else rows


def evaluation_rows(workspace: Workspace, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """One a judged compaction; the keys are those of `COLUMNS` in `review/parquet.py`. Seven queries for twenty."""
    ids = judged_compactions(workspace, wanted)
    people = _people(workspace, wanted)
    for start in range(0, len(ids), AT_ONCE):
        yield from _rows(workspace, ids[start : start + AT_ONCE], people, wanted)


def _people(workspace: Workspace, wanted: Wanted) -> dict[int | None, str]:
    """How each reviewer is called; numbers are given in the order in which they began to review here."""
    rows = Review.objects.filter(workspace=workspace, reviewer__isnull=False).order_by("started_at", "id")
    found = dict(rows.values_list("reviewer_id", "reviewer__name"))
    people: dict[int | None, str] = {None: "somebody deleted"}
    for number, (who, name) in enumerate(found.items(), start=1):
        people[who] = name if wanted.names else f"reviewer-{number}"
    return people


def _rows(
    workspace: Workspace, ids: Sequence[int], people: Mapping[int | None, str], wanted: Wanted
) -> Iterator[dict[str, Any]]:
    compactions = Compaction.objects.filter(workspace=workspace, pk__in=ids).select_related(
        "conversation__agent", "summary_message", "audit"
    )
    reviews = _by_compaction(_reviews(workspace, wanted).filter(compaction__in=ids).order_by("submitted_at", "id"))
    chosen = [review.pk for each in reviews.values() for review in each]
    verdicts = _by_compaction(Verdict.objects.filter(workspace=workspace, review__in=chosen).select_related("review"))
    marks = Mark.objects.filter(workspace=workspace, review__in=chosen).select_related("review", "message")
    marked = _by_compaction(marks.order_by("id"))
    findings = _by_compaction(Finding.objects.filter(workspace=workspace, compaction__in=ids).order_by("number"))
    dropped = _dropped(workspace, ids) if wanted.texts or wanted.redactor else {}
    for row in compactions.order_by("id"):
        told = {
            **_about(row),
            "facts": [_fact(each) for each in findings[row.pk]],
            "labels": [_label(each, people) for each in verdicts[row.pk]],
            "missed": [_marked(each, people) for each in marked[row.pk] if each.what == Marked.MISSED],
            "invented": [_marked(each, people) for each in marked[row.pk] if each.what == Marked.INVENTED],
            "reviews": [_review(each, people) for each in reviews[row.pk]],
            "dropped": dropped.get(row.pk, []),
        }
        told = redacted_row(told, wanted.redactor) if wanted.redactor else told
        yield told if wanted.texts else {**told, "dropped": None}


def _by_compaction(rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.compaction_id].append(row)
    return found


def _about(row: Compaction) -> dict[str, Any]:
    conversation, audit = row.conversation, getattr(row, "audit", None)
    agent = conversation.agent
    return {
        "conversation": conversation.external_id,
        "compaction": row.external_id,
        "number": row.number,
        "source": conversation.source,
        "agent": agent.name if agent else "",
        "agent_version": agent.version if agent else "",
        "model": row.model,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "instructions": row.instructions,
        "summary_state": row.summary_state,
        "summary": summary_of(row) or None,
        "auditor_version": audit.version if audit else "",
    }


def _fact(row: Finding) -> dict[str, Any]:
    names = ("text", "kind", "quote", "outcome", "probability", "importance", "detector")
    return {"id": row.fact_id, "rank": row.number, **{name: getattr(row, name) for name in names}}


def _label(row: Verdict, people: Mapping[int | None, str]) -> dict[str, Any]:
    """The label with what was judged: the auditor may say something else of the fact by now."""
    names = ("answer", "reworded", "text", "kind", "outcome", "detector", "auditor_version")
    said = {name: getattr(row, name) for name in names}
    return {"fact": row.fact_id, **said, "reviewer": called(row.review, people), "settled": row.review.settles}


def _marked(row: Mark, people: Mapping[int | None, str]) -> dict[str, Any]:
    names = ("block", "start", "end", "quote", "text", "kind")
    said = {name: getattr(row, name) for name in names}
    message = row.message.external_id if row.message else None
    return {"message": message, **said, "reviewer": called(row.review, people)}


def _review(row: Review, people: Mapping[int | None, str]) -> dict[str, Any]:
    return {
        "reviewer": called(row, people),
        "overall": row.overall,
        "criteria": [{"key": key, "value": value} for key, value in sorted(row.criteria.items())],
        "comment": row.comment,
        "submitted_at": row.submitted_at.isoformat() if row.submitted_at else None,
        "settled": row.settles,
    }


def called(review: Review, people: Mapping[int | None, str]) -> str:
    """The reviewer's name here; labels made elsewhere bear the name that they came with."""
    return review.made_by or people[review.reviewer_id]


def _dropped(workspace: Workspace, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = Message.objects.filter(workspace=workspace, dropped_by__in=ids).order_by("position", "id")
    for message in rows.iterator(chunk_size=100):
        blocks = [{"block": line.block, "text": line.text} for line in lines_of(event_of(message))]
        found[message.dropped_by_id or 0].append(  # always set: it is what was asked for
            {"message": message.external_id, "role": message.role, "origin": message.origin, "blocks": blocks}
        )
    return found
