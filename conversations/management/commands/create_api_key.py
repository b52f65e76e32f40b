"""Make an API key and print it, once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from conversations.models import Workspace
from conversations.people.keys import create_api_key
from conversations.vocabulary import Scope


class Command(BaseCommand):
    """`manage.py create_api_key --name laptop --scope ingest`."""

    help = "Make an API key and print it. It is shown only now: of the key itself only a hash is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name, scopes, workspace, lifetime."""
        parser.add_argument("--name", required=True, help="what the key is for, for people")
        parser.add_argument(
            "--scope",
            action="append",
            choices=list(Scope),
            help="what it may do; may be given several times (default: ingest and read)",
        )
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there is more than one")
        parser.add_argument("--expires", metavar="DAYS", type=int, help="days until it stops working (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key on a line of its own, so that a script can take it."""
        days = options["expires"]
        if days is not None and days < 1:
            raise CommandError("--expires wants at least 1 day.")
        _, key = create_api_key(
            workspace=find_workspace(options["workspace"]),
            name=options["name"],
            scopes=options["scope"] or [Scope.INGEST, Scope.READ],
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        self.stdout.write(key)


def find_workspace(slug: str | None) -> Workspace:
    """The workspace of that slug, or the only one there is. Raises CommandError."""
    workspaces = list(Workspace.objects.filter(slug=slug) if slug else Workspace.objects.order_by("slug")[:20])
    if len(workspaces) == 1:
        return workspaces[0]
    if slug:
        raise CommandError(f"There is no workspace {slug}.")
    if not workspaces:
        raise CommandError("There is no workspace yet; `manage.py up` makes the first.")
    raise CommandError(f"Say which workspace: --workspace {' | '.join(w.slug for w in workspaces)}")
