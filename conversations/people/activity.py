"""Who did what: one row for everything that changes a workspace's settings, people or records."""

from typing import Any

from django.db import models

from conversations.models import Activity, ApiKey, User, Workspace


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
