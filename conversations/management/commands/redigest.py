"""Make rows of stored bytes once more, for instance after an update of a parser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations import tasks
from conversations.ingest import services
from conversations.models import Batch
from conversations.vocabulary import BatchState


class Command(BaseCommand):
    """`manage.py redigest --all`."""

    help = "Digest batches again whose bytes are still kept. Rows that are right already stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which batches."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--batch", metavar="ID", type=int, action="append", help="this one; may be given again")
        which.add_argument("--failed", action="store_true", help="those that were given up")
        which.add_argument("--all", action="store_true", help="all of which the bytes are still kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Digest them here and now, oldest first, a line each."""
        batches = Batch.objects.filter(raw_deleted_at=None)
        if options["batch"]:
            batches = batches.filter(pk__in=options["batch"])
        elif options["failed"]:
            batches = batches.filter(state=BatchState.FAILED)
        ids = list(batches.order_by("pk").values_list("pk", flat=True))
        failed = [pk for pk in ids if not self._redigest(pk)]
        if options["batch"] and len(ids) < len(set(options["batch"])):
            raise CommandError("Some of these batches do not exist, or their bytes are not kept any more.")
        if failed:
            raise CommandError(f"{len(failed)} of {len(ids)} could not be digested.")

    def _redigest(self, batch_id: int) -> bool:
        services.redigest(Batch.objects.filter(pk=batch_id))
        tasks.follow(services.digest_batch(batch_id))
        batch = Batch.objects.get(pk=batch_id)
        self.stdout.write(f"batch {batch_id}: {batch.state}{': ' + batch.error if batch.error else ''}")
        return batch.state == BatchState.DIGESTED
