"""What may not be deleted by anybody until it is released."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import Conversation, Hold, User, Workspace


class Held(Refused):
    """A hold is on what was to be deleted."""

    code = "held"


def holds_in_force(workspace: Workspace) -> list[Hold]:
    """Not released, newest first."""
    return list(workspace.holds.filter(released_at=None).select_related("conversation", "created_by").order_by("-id"))


def held(workspace: Workspace) -> Q:
    """Of conversations: those that a hold is on, who delegated them, and what they delegated: all may lie in one file,
    whose bytes go as a whole."""
    ours = Hold.objects.filter(workspace=workspace, released_at=None)
    by_agent = ours.exclude(agent_name="").values("agent_name")
    by_itself = ours.filter(conversation__isnull=False).values("conversation")
    directly = Q(pk__in=by_itself) | Q(agent__name__in=by_agent)
    near = Conversation.objects.filter(directly, workspace=workspace, source=OuterRef("source"))
    parents = near.filter(external_id=OuterRef("parent_external_id"))
    children = near.filter(parent_external_id=OuterRef("external_id"))
    return directly | Q(Exists(parents)) | Q(Exists(children))


def release(hold: Hold) -> None:
    """What it was on may be deleted again."""
    hold.released_at = timezone.now()
    hold.save(update_fields=["released_at"])


def put_on(hold: Hold, by: User) -> None:
    """From now on."""
    hold.created_by = by
    hold.save()
