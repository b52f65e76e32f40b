"""Import transcripts from files and folders, several at once."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations import tasks
from conversations.ingest.importing import Outcome, import_transcript
from conversations.management.commands.create_api_key import find_workspace

#: What can become of a file; "unknown" is one of a format that is not read.
STATES = ("imported", "known", "unknown", "failed")


class Command(BaseCommand):
    """`manage.py import ~/.claude/projects ~/.codex/sessions`."""

    help = "Import Claude Code and Codex sessions. Can be interrupted and run again: what is known is passed over."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, where to, and how many at once."""
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a .jsonl file, or a folder of them")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there is more than one")
        parser.add_argument(
            "--processes",
            type=int,
            default=min(4, os.cpu_count() or 1),
            help="files read at once (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, print a table, and fail if a file did."""
        paths = list(dict.fromkeys(files_of(options["paths"])))
        if not paths:
            raise CommandError("There is no .jsonl file there.")
        workspace = find_workspace(options["workspace"])
        outcomes: list[Outcome] = []
        for outcome in _import_all(paths, workspace.pk, max(1, options["processes"])):
            outcomes.append(outcome)
            self._tell(outcome, len(outcomes), len(paths))
        self._summarise(outcomes)
        given = {path.expanduser() for path in options["paths"]}
        failed = sum(o.state == "failed" or (o.state == "unknown" and o.path in given) for o in outcomes)
        if failed:
            raise CommandError(f"{failed} of {len(outcomes)} files could not be imported.")

    def _tell(self, outcome: Outcome, done: int, of: int) -> None:
        """A line a file; on a terminal a bar that stays below them."""
        width = 24
        filled = width * done // of
        bar = f"[{'#' * filled}{'.' * (width - filled)}] {done:,} of {of:,}"
        line = f"{outcome.state:>8}  {_facts(outcome)}  {outcome.path}"
        if not self.stdout.isatty():
            self.stdout.write(line)
            return
        self.stdout.write(f"\r\033[K{line}\n{bar}{'' if done < of else chr(10)}", ending="")
        self.stdout.flush()

    def _summarise(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            for problem in (*outcome.problems, *filter(None, [outcome.error])):
                self.stdout.write(f"{outcome.path}: {problem}")
        names = ("conversations", "messages", "requests", "compactions")
        totals = ", ".join(f"{sum(getattr(outcome, name) for outcome in outcomes):,} {name}" for name in names)
        states = ", ".join(f"{sum(outcome.state == state for outcome in outcomes):,} {state}" for state in STATES)
        problems = sum(outcome.problem_count for outcome in outcomes)
        self.stdout.write(f"{len(outcomes):,} files: {states}. In them {totals}; {problems:,} problems.")


def _facts(outcome: Outcome) -> str:
    return f"{outcome.messages:>7,} messages {outcome.compactions:>3,} compactions {outcome.size / 1e6:>7.1f} MB"


def files_of(paths: list[Path]) -> Iterator[Path]:
    """The files given, and every *.jsonl below the folders given. Raises CommandError for a path that is none."""
    for path in paths:
        path = path.expanduser()  # noqa: PLW2901 -- the same path, spelt out
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.jsonl") if file.is_file())
        elif path.exists():
            yield path
        else:
            raise CommandError(f"There is no {path}.")


# --- in processes of their own --------------------------------------------------------------------------------------


def _import_all(paths: list[Path], workspace_id: int, processes: int) -> Iterator[Outcome]:
    """Outcomes as they come."""
    if processes == 1 or len(paths) == 1:
        yield from (_import_file(path, workspace_id) for path in paths)
        return
    # Spawned, not forked: a database connection must not be shared.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=django.setup) as pool:
        futures = [pool.submit(_import_file, path, workspace_id) for path in paths]
        try:
            yield from (future.result() for future in as_completed(futures))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise CommandError("Interrupted. Run it again to go on: what is imported is passed over.") from None


def _import_file(path: Path, workspace_id: int) -> Outcome:
    outcome, digested = import_transcript(path, workspace_id=workspace_id)
    tasks.follow(digested)
    return outcome
