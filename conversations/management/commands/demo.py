"""Load the sample conversations, or remove them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations.management.commands.create_api_key import find_workspace
from conversations.ops.demo import load_demo, remove_demo


class Command(BaseCommand):
    """`manage.py demo`, `manage.py demo --remove`."""

    help = "Load sample conversations that show every kind of compaction. Loading them again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which workspace, and whether to remove them."""
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there is more than one")
        parser.add_argument("--remove", action="store_true", help="remove them instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many there are or were."""
        workspace = find_workspace(options["workspace"])
        if options["remove"]:
            self.stdout.write(f"Removed {remove_demo(workspace)} sample conversations from {workspace.slug}.")
            return
        self.stdout.write(f"{len(load_demo(workspace))} sample conversations are in {workspace.slug}.")
