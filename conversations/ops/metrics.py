"""What the server does, in numbers, as Prometheus reads them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Batch, Rule, RuleProgress
from conversations.ops.health import digest_lag, queue_lengths

Samples = Iterable[tuple[dict[str, str], float]]

#: Tables whose rows are estimated: a count reads them all, the planner's estimate costs nothing.
_COUNTED = ("conversation", "message", "request", "compaction", "batch", "finding")


def metrics_text() -> str:
    """Gauges only: this is asked of any web process, and each sees the same database."""
    families = (
        ("observatory_digest_lag_seconds", "Age of the oldest batch that is not digested.", _lag()),
        ("observatory_batches", "Batches by state.", _batches()),
        ("observatory_alert_lag_seconds", "Age of the oldest evaluation of an alert rule.", _alert_lag()),
        ("observatory_alert_rules_failing", "Alert rules whose last evaluation failed.", _failing_rules()),
        ("observatory_queue_messages", "Messages that wait for a worker.", _queues()),
        ("observatory_rows", "Rows, as the database's planner estimates them.", _rows()),
        ("observatory_database_bytes", "Size of the database on disk.", _size()),
        ("observatory_database_connections", "Connections to the database.", _connections()),
    )
    return "".join(line for name, about, samples in families for line in _family(name, about, samples))


def _family(name: str, about: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        yield f"{name}{{{inside}}} {value:g}\n" if inside else f"{name} {value:g}\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _lag() -> Samples:
    return [({}, digest_lag().total_seconds())]


def _batches() -> Samples:
    states = Batch.objects.values_list("state").annotate(Count("pk")).order_by("state")
    return [({"state": state}, count) for state, count in states]


def _alert_lag() -> Samples:
    """A rule that was never evaluated waits since it was made."""
    last = Coalesce("progress__evaluated_at", "created_at")
    oldest = Rule.objects.filter(enabled=True).aggregate(oldest=Min(last))["oldest"]
    return [({}, max((timezone.now() - oldest).total_seconds(), 0) if oldest else 0)]


def _failing_rules() -> Samples:
    return [({}, RuleProgress.objects.filter(rule__enabled=True).exclude(problem="").count())]


def _queues() -> Samples:
    return [({"queue": name}, length) for name, length in sorted(queue_lengths().items())]


def _rows() -> Samples:
    sql = (
        "SELECT relname, greatest(reltuples, 0) FROM pg_class WHERE oid = ANY(%s::text[]::regclass[]) ORDER BY relname"
    )
    rows = _ask(sql, [[f"conversations_{name}" for name in _COUNTED]])
    return [({"table": str(name).removeprefix("conversations_")}, float(count)) for name, count in rows]


def _size() -> Samples:
    return [({}, float(_ask("SELECT pg_database_size(current_database())")[0][0]))]


def _connections() -> Samples:
    rows = _ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    return [({}, float(rows[0][0]))]


def _ask(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
