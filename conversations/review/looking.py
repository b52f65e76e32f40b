"""Who is looking at a compaction right now: members whose page said so within the last half minute."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from conversations.models import Looking, User, Workspace

#: A page says so every ten seconds: two messages may be lost before somebody seems gone.
EXPIRES = timedelta(seconds=30)


def look(workspace: Workspace, user: User, compaction_id: int, now: datetime) -> None:
    """`user` looks at it, and at nothing else any more."""
    row = Looking(workspace=workspace, user=user, compaction_id=compaction_id, at=now)
    Looking.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["workspace", "user"], update_fields=["compaction", "at"]
    )


def others_looking(workspace: Workspace, compaction_id: int, user: User, now: datetime) -> Sequence[User]:
    """Members but `user`, by name."""
    rows = Looking.objects.filter(workspace=workspace, compaction=compaction_id, at__gt=now - EXPIRES)
    members = User.objects.filter(memberships__workspace=workspace, pk__in=rows.values("user"), is_active=True)
    return list(members.exclude(pk=user.pk).order_by("name", "email"))
