"""manage.py audit FILE: what the compactions of a transcript forgot, without server or database."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.audit import conditions, report
from conversations.audit.audit import AUDITOR_VERSION, audit_segment
from conversations.audit.segment import segments_of
from conversations.errors import BadInput
from conversations.ingest.formats import parse_file


class Command(BaseCommand):
    """Audits a transcript file."""

    help = "Show what the compactions of a transcript forgot, altered or added. Needs neither server nor database."
    requires_system_checks: list[str] = []  # a database may not even be configured
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE and how to show it."""
        parser.add_argument("file", type=Path, help="a Claude Code session file or a Codex rollout")
        parser.add_argument("--json", action="store_true", help="print everything as JSON")
        parser.add_argument("--top", type=int, default=10, metavar="N", help="losses shown per compaction (10)")
        parser.add_argument(
            "--fail-on",
            metavar="EXPR",
            help="exit with 1 if any compaction meets it, e.g. forgotten>5 or kind.prohibition.forgotten>0",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0; 1 when --fail-on is met; 2 when the file or the condition cannot be read."""
        try:
            wanted = conditions.parse(options["fail_on"]) if options["fail_on"] else []
            result = self._report(options["file"], options["json"], options["top"])
        except BadInput as error:
            raise CommandError(f"{error.message} {error.mend}".strip(), returncode=2) from error
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.", returncode=2) from error
        self._fail_on(wanted, result)

    def _report(self, file: Path, as_json: bool, top: int) -> dict[str, Any]:
        events, problems = parse_file(file).events_and_problems()
        audits = [audit_segment(segment) for segment in segments_of(events)]
        result = report.as_json(str(file), audits, AUDITOR_VERSION)
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write(report.as_text(str(file), audits, top=top, colour=self._is_terminal()))
        if problems:
            self.stderr.write(f"{len(problems)} lines could not be read, the first: {problems[0].message}")
        return result

    def _is_terminal(self) -> bool:
        return bool(getattr(self.stdout, "isatty", lambda: False)()) and sys.stdout.isatty()

    def _fail_on(self, wanted: list[conditions.Condition], result: dict[str, Any]) -> None:
        for compaction in result["compactions"]:
            for condition in wanted:
                if condition.holds(compaction):
                    figure = conditions.figure_of(condition.name, compaction)
                    raise CommandError(
                        f"Compaction {compaction['number']}: {condition.text} ({condition.name} is {figure:g}).",
                        returncode=1,
                    )
