"""manage.py audit FILE: what its compactions forgot, without server or database; --stale: what is stored, anew."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.audit import conditions, report
from conversations.audit.audit import AUDITOR_VERSION, audit_segment
from conversations.audit.model import Audit, Segment
from conversations.audit.segment import segments_of
from conversations.errors import BadInput
from conversations.ingest.formats import parse_file


class Command(BaseCommand):
    """Audits a transcript file."""

    help = "Show what the compactions of a transcript forgot, altered or added. Needs neither server nor database."
    requires_system_checks: list[str] = []  # a database may not even be configured
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE and how to show it, or --stale."""
        parser.add_argument("file", type=Path, nargs="?", help="a Claude Code session file or a Codex rollout")
        parser.add_argument("--json", action="store_true", help="print everything as JSON")
        parser.add_argument("--top", type=int, default=10, metavar="N", help="losses shown per compaction (10)")
        parser.add_argument(
            "--fail-on",
            metavar="EXPR",
            help="exit with 1 if any compaction meets it, e.g. forgotten>5 or kind.prohibition.forgotten>0",
        )
        parser.add_argument(
            "--llm", action="store_true", help="ask a language model, too; needs ANTHROPIC_API_KEY and costs money"
        )
        parser.add_argument(
            "--stale", action="store_true", help="instead of a file: audit again what an older auditor has looked at"
        )
        parser.add_argument("--workspace", metavar="SLUG", help="with --stale: only of this workspace")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0; 1 when --fail-on is met; 2 when what is asked for cannot be read; 130 when interrupted."""
        if bool(options["file"]) == options["stale"]:
            raise CommandError("Name a transcript, or use --stale for what is stored; not both.", returncode=2)
        if options["workspace"] and not options["stale"]:
            raise CommandError("--workspace goes with --stale.", returncode=2)
        if options["stale"]:
            self._renew(options["workspace"])
        else:
            self._audit(options)

    def _audit(self, options: dict[str, Any]) -> None:
        try:
            wanted = conditions.parse(options["fail_on"]) if options["fail_on"] else []
            result = self._report(options)
        except BadInput as error:
            raise CommandError(f"{error.message} {error.mend}".strip(), returncode=2) from error
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.", returncode=2) from error
        self._fail_on(wanted, result)

    def _report(self, options: dict[str, Any]) -> dict[str, Any]:
        file = options["file"]
        read = self._ask() if options["llm"] else audit_segment
        events, problems = parse_file(file).events_and_problems()
        audits = [read(segment) for segment in segments_of(events)]
        result = report.as_json(str(file), audits, AUDITOR_VERSION)
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write(report.as_text(str(file), audits, top=options["top"], colour=self._is_terminal()))
        if problems:
            self.stderr.write(f"{len(problems)} lines could not be read, the first: {problems[0].message}")
        return result

    def _ask(self) -> Callable[[Segment], Audit]:
        """An auditor that asks the model about each compaction, and says on stderr how far it came and what it cost."""
        from conversations.audit.consult import consult  # noqa: PLC0415 -- slow, and only with --llm
        from conversations.audit.llm_settings import llm_settings  # noqa: PLC0415
        from conversations.audit.memory import Book  # noqa: PLC0415

        # Whoever waits at a terminal is not asked to come back later.
        settings, book = replace(llm_settings(), attempts=2, sdk_retries=2), Book()
        if not settings.api_key:
            raise BadInput("--llm needs a key.", mend="Set ANTHROPIC_API_KEY.")

        def ask(segment: Segment) -> Audit:
            told = consult(segment, settings, book, book)
            cost = f"{told.calls} calls to {settings.model}, ${told.cost_usd:.4f}"
            self.stderr.write(f"Compaction {segment.number}: {told.state}, {cost}. {told.reason}".strip())
            return audit_segment(segment, told.reading)

        return ask

    def _renew(self, workspace: str | None) -> None:
        """Conversation by conversation; interrupted, it goes on where it was when it is called again."""
        from conversations.audit.services import audit_conversation, stale_conversations  # noqa: PLC0415 -- needs the store
        from conversations.management.commands.create_api_key import find_workspace  # noqa: PLC0415
        from conversations.models import Conversation  # noqa: PLC0415

        stale = stale_conversations(find_workspace(workspace) if workspace else None)
        done = 0
        try:
            for number, conversation in enumerate(Conversation.objects.filter(pk__in=stale).iterator(), 1):
                done += audit_conversation(conversation)
                self.stderr.write(f"{number} of {len(stale)} conversations, {done} compactions")
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after {done} compactions; run it again to go on.", returncode=130) from None
        self.stdout.write(f"{done} compactions of {len(stale)} conversations audited.")

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
