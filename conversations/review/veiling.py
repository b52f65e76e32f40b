"""What somebody is judging blindly at this moment: what was found in it is shown to that person nowhere.

A person judges a compaction blindly while they have a place on it, or a draft about it, in a queue that is blind.
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, OuterRef, QuerySet

from conversations.models import Compaction, Reservation, Review, Workspace

#: Ids of compactions.
Veil = frozenset[int]
NO_VEIL: Veil = frozenset()


def veil_of(user: int, workspace: Workspace) -> Veil:
    """One query."""
    reserved, drafted = (rows.values_list("item__compaction") for rows in _held(user, workspace.pk))
    return frozenset(pk for (pk,) in reserved.union(drafted))


def veils(user: int) -> dict[str, ArraySubquery]:
    """The same to annotate rows with a `workspace`, as `told_veil` reads it. It costs no query."""
    reserved, drafted = (rows.values("item__compaction") for rows in _held(user, OuterRef("workspace")))
    keys = ArrayField(BigIntegerField())
    return {
        "veil_reserved": ArraySubquery(reserved, output_field=keys),
        "veil_drafted": ArraySubquery(drafted, output_field=keys),
    }


def told_veil(row: Any) -> Veil:
    """Of a row annotated by `veils`."""
    return frozenset([*row.veil_reserved, *row.veil_drafted])


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
