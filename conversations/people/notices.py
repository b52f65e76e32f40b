"""What people are told in the app: each thing once to each person."""

from collections.abc import Iterable

from conversations.models import Notice, User, Workspace


def notify(*, workspace: Workspace, users: Iterable[User], kind: str, text: str, url: str, key: str) -> None:
    """Tell each of `users` one sentence, with the path of the page that shows it; telling again what bears the same
    `key` changes nothing."""
    rows = [
        Notice(workspace=workspace, user=user, kind=kind, text=text[:500], url=url[:500], key=key) for user in users
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
