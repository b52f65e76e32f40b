"""Alert rules as YAML: out to a file or the screen, and in again."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.alerts.spec import export_rules, import_rules
from conversations.errors import BadInput
from conversations.management.commands.create_api_key import find_workspace


class Command(BaseCommand):
    """`manage.py rules export > rules.yaml`, `manage.py rules import rules.yaml`."""

    help = "Write the alert rules of a workspace as YAML, or make and change rules by such a file."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, the file, the workspace."""
        parser.add_argument("action", choices=["export", "import"])
        parser.add_argument("file", nargs="?", default="-", help="to import; - or nothing reads standard input")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there is more than one")

    def handle(self, *args: Any, **options: Any) -> None:
        """All rules of a file are taken, or none."""
        workspace = find_workspace(options["workspace"])
        if options["action"] == "export":
            self.stdout.write(export_rules(workspace), ending="")
            return
        try:
            found = import_rules(workspace, _read(options["file"]), "manage.py rules import")
        except BadInput as error:
            raise CommandError(f"{error.at}: {error.message} {error.mend}".removeprefix(": ").strip()) from None
        self.stdout.write(f"{len(found.made)} made, {len(found.changed)} changed, {len(found.unchanged)} as they were.")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}.") from None
