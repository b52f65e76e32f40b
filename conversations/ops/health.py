"""Is the server fit to work: each check says yes, or what is wrong and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueError

from conversations.models import Batch, isolation

#: Longer than a digestion that a killed worker left behind needs to be taken up again (its lease is 120 s).
DIGEST_LAG_LIMIT = timedelta(minutes=5)
#: Jobs of alerts come every few seconds and take turns with all others, so that one waits for one job at most: what
#: waits longer than the longest job may take waits for a worker that is stuck or gone.
JOB_LIMIT = timedelta(seconds=settings.VISIBILITY_SECONDS)
_OLDEST_JOB = """
    SELECT extract(epoch FROM clock_timestamp() - min(enqueued_at)) FROM pgmq.q_alerts WHERE vt <= clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `reason` says what was seen, whether good or bad."""

    name: str
    ok: bool
    reason: str

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {"ok": self.ok, "reason": self.reason}


def check_readiness() -> list[Check]:
    """Database, migrations, queue, jobs, digestion, isolation. What needs the database is not asked when it is away."""
    database = _checked("database", _database)
    if not database.ok:
        return [database]
    rest: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("migrations", _migrations), ("queue", _queue), ("jobs", _jobs), ("digestion", _digestion),
        ("isolation", _isolation),
    ]  # fmt: skip
    return [database, *(_checked(name, look) for name, look in rest)]


def _checked(name: str, look: Callable[[], tuple[bool, str]]) -> Check:
    try:
        ok, reason = look()
    except (DatabaseError, QueueError, OSError) as error:
        return Check(name, ok=False, reason=f"{type(error).__name__}: it cannot be reached")
    return Check(name, ok, reason)


def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, "answers"


def _migrations() -> tuple[bool, str]:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return not missing, f"{missing} to apply: run `manage.py migrate`" if missing else "applied"


def _queue() -> tuple[bool, str]:
    if settings.QUEUE_IN_DATABASE:
        waiting = queue_lengths()
        return True, ", ".join(f"{name} {length}" for name, length in sorted(waiting.items())) or "empty"
    from observatory.celery import app  # noqa: PLC0415 -- the broker is another server

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return True, "answers"


def queue_lengths() -> dict[str, int]:
    """Messages in the database's queue that wait for a worker, by queue. Empty with another broker."""
    if not settings.QUEUE_IN_DATABASE:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_name, queue_visible_length FROM pgmq.metrics_all()")
        return dict(cursor.fetchall())


def _jobs() -> tuple[bool, str]:
    """Whether a worker takes jobs. A backlog is none of its business: an import may leave hundreds to audit."""
    if "alerts" not in queue_lengths():
        return True, "not to be seen from here"  # another broker, or no worker has been started yet
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_JOB)
        waited = timedelta(seconds=float(cursor.fetchone()[0] or 0))
    if waited > JOB_LIMIT:
        return False, f"none was taken for {waited.total_seconds():.0f} s: is the worker alive?"
    return True, "taken"


def _digestion() -> tuple[bool, str]:
    lag = digest_lag()
    return (
        lag < DIGEST_LAG_LIMIT,
        f"the oldest batch that waits is {lag.total_seconds():.0f} s old" if lag else "up to date",
    )


def _isolation() -> tuple[bool, str]:
    """The second line; without it the server works all the same."""
    return True, "in force" if isolation.in_force() else "not in force, the filters of the queries stand alone"


def digest_lag() -> timedelta:
    """Age of the oldest batch that is not digested yet; 0 when there is none."""
    oldest = Batch.objects.pending().aggregate(oldest=Min("received_at"))["oldest"]
    return timezone.now() - oldest if oldest else timedelta()
