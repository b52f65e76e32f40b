"""Telling members in the app: the bell in the bar."""

from typing import Any

from conversations.alerts.channels.answers import Result, Sent
from conversations.alerts.channels.message import Message, Told, line_of
from conversations.models import Channel, User
from conversations.people.notices import notify


def send(channel: Channel, message: Message) -> Result:
    """A notice to each member of the channel's roles; what bears the same key is told to nobody twice."""
    users = list(receivers(channel))
    for told in message.incidents:
        notify(
            workspace=channel.workspace,
            users=users,
            kind="incident",
            text=_text(told),
            url=told.path,
            key=f"message:{message.key}:{told.id}",
        )
    return Sent()


def receivers(channel: Channel) -> list[User]:
    """Members of the workspace who may sign in, of the channel's roles where it names any."""
    wanted: dict[str, Any] = {"memberships__workspace": channel.workspace_id, "is_active": True}
    if channel.roles:
        wanted["memberships__role__in"] = channel.roles
    return list(User.objects.filter(**wanted).order_by("id"))


def _text(told: Told) -> str:
    return f"{line_of(told)}. {told.summary}".strip()
