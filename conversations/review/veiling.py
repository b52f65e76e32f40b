"""What somebody is judging blindly at this moment: what was found in it is shown to that person nowhere.

A person judges a compaction blindly while they have a place on it, or a draft about it, in a queue that is blind. Its
copies in forked sessions, which are audited like it, are behind the veil as well.
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, OuterRef, QuerySet

from conversations.models import Compaction, Reservation, Review, Workspace

#: Ids of compactions.
Veil = frozenset[int]
NO_VEIL: Veil = frozenset()
_COPIES = "item__compaction__copies"
#: As rows are annotated, in the order of `_kinds`.
_TOLD = ("veil_reserved", "veil_drafted", "veil_reserved_copies", "veil_drafted_copies")


def veil_of(user: int, workspace: Workspace) -> Veil:
    """One query."""
    originals, copies = ([rows.values_list(path) for rows in kind] for path, kind in _kinds(user, workspace.pk))
    return frozenset(pk for (pk,) in originals[0].union(*originals[1:], *copies))


def veils(user: int) -> dict[str, ArraySubquery]:
    """The same to annotate rows with a `workspace`, as `told_veil` reads it. It costs no query."""
    found = [rows.values(path) for path, kind in _kinds(user, OuterRef("workspace")) for rows in kind]
    keys = ArrayField(BigIntegerField())
    return {name: ArraySubquery(rows, output_field=keys) for name, rows in zip(_TOLD, found, strict=True)}


def told_veil(row: Any) -> Veil:
    """Of a row annotated by `veils`."""
    return frozenset(pk for name in _TOLD for pk in getattr(row, name))


def _kinds(user: int, workspace: Any) -> list[tuple[str, list[QuerySet[Any]]]]:
    """What is held, and where the ids of compactions stand in it: of originals, then of their copies."""
    held = list(_held(user, workspace))
    # Their workspace is said again: the index of copies begins with it.
    copied = [rows.filter(**{f"{_COPIES}__workspace": workspace}) for rows in held]
    return [("item__compaction", held), (_COPIES, copied)]


def _held(user: int, workspace: Any) -> tuple["QuerySet[Reservation]", "QuerySet[Review]"]:
    here: dict[str, Any] = {"workspace": workspace, "item__queue__blind": True}
    drafts = Review.objects.filter(reviewer=user, submitted_at=None, settles=False, **here)
    return Reservation.objects.filter(user=user, **here), drafts


def has_veiled(conversation: int, veil: Veil) -> bool:
    """Whether one of its compactions is behind the veil. One query, none without a veil."""
    return bool(veil) and Compaction.objects.filter(pk__in=veil, conversation=conversation).exists()


def unveiled(rows: "QuerySet[Compaction]", veil: Veil) -> "QuerySet[Compaction]":
    """For orders and filters that would tell by themselves: without what is behind the veil."""
    return rows.exclude(pk__in=veil) if veil else rows
