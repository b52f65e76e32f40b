"""Add up anew what conversations sent, for instance after an update that counts differently."""

from typing import Any

from django.core.management.base import BaseCommand

from conversations.models import Workspace
from conversations.spending.services import recount


class Command(BaseCommand):
    """`manage.py recount`."""

    help = "Count the tokens of every conversation and agent anew. Nothing is missing meanwhile; it may be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        """A line a workspace."""
        for workspace in Workspace.objects.order_by("pk"):
            self.stdout.write(f"{workspace.slug}: {recount(workspace)} conversations")
