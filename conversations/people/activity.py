"""Who did what: one row for everything that changes a workspace's settings, people or records."""

from datetime import UTC, datetime
from typing import Any

from django.db import models

from conversations.models import Activity, ApiKey, Membership, User, Workspace


def record_activity(
    *,
    workspace: Workspace,
    actor: User | ApiKey | str,
    action: str,
    target: models.Model | None = None,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
) -> Activity:
    """Write down that `actor` (a person, a key, or the name of a job) did `action` ("budget.changed") to `target`.

    `detail` says what changed as JSON; it must hold no secret and no text of a conversation."""
    return Activity.objects.create(
        workspace=workspace,
        user=actor if isinstance(actor, User) else None,
        api_key=actor if isinstance(actor, ApiKey) else None,
        actor=str(actor)[:200],
        action=action,
        target_kind=type(target).__name__.lower() if target else "",
        target_id=str(target.pk) if target else "",
        target=str(target)[:300] if target else "",
        detail=detail or {},
        address=address,
    )


def minutes(moment: datetime) -> str:
    """A time as details hold it: 2026-11-23 23:17 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def record_of_person(
    user: User, action: str, *, detail: dict[str, Any] | None = None, address: str | None = None
) -> None:
    """Write down what somebody did that concerns all of their workspaces, such as signing in. Outside of them all."""
    for membership in Membership.objects.filter(user=user).select_related("workspace").order_by("workspace_id"):
        record_activity(
            workspace=membership.workspace, actor=user, action=action, target=user, detail=detail, address=address
        )
