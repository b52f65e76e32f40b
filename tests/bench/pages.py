"""How fast pages and reads answer with 100,000 conversations and two of 20,000 records in the store.

    python -m tests.bench.pages [--conversations 100000] [--records 20000] [--times 40] [--only WORD …] [--profile]
        [--explain] [--keep]

Fills a database of its own (`--keep` leaves it behind on the server that DATABASE_URL names, and takes it up again),
asks through Django's test client (no network, all middleware) and prints for each address the server's time by the
clock (p50, p95), the processor's time of Python and of Postgres together (p50, p95) and of Postgres alone, the number
of queries, and the size of the answer compressed. On a machine that has other work only the processor's time tells
something; Postgres's is known where it runs on the same Linux. Stops at any answer but 200. Run it by hand.
"""

import argparse
import cProfile
import gc
import os
import pstats
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()  # before any model is imported

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, get_runner  # noqa: E402

from conversations.models import Membership, User, Workspace  # noqa: E402
from tests.bench import store  # noqa: E402

#: What is asked for, below the workspace; the names are rows that `addresses` finds.
PAGES = [
    "/",
    "/conversations/",
    "/conversations/?agent=agent-3",
    "/conversations/?q=invoice",
    "/conversations/?q=invoice&agent=agent-3",
    "/conversations/?q=nowhere&agent=agent-3",
    "/conversations/?compacted=yes",
    "/conversations/?since=24h&source=codex",
    "/compactions/",
    "/compactions/?order=newest",
    "/compactions/?kind=threshold",
    "/compactions/?agent=agent-3&order=newest",
    "/compactions/?found=harm",
    "/compactions/?found=unaudited",
    "/conversations/{long.pk}/",
    "/conversations/{long.pk}/?around={last.pk}",
    "/conversations/{long.pk}/figure.json",
    "/conversations/{long.pk}/facts/",
    "/conversations/{generations.pk}/",
    "/conversations/{generations.pk}/facts/",
    "/compactions/{compaction.pk}/",
    "/compactions/{compaction.pk}/?fact=7",
    "/compactions/{compaction.pk}/?q=job",
    "/compactions/{compaction.pk}/?q=nowhere",
    "/compactions/{compaction.pk}/facts/7/",
    "/compactions/{late.pk}/",
    "/messages/{last.pk}/",
    "/import/",
]
#: And below the API.
READS = [
    "/conversations",
    "/conversations?q=invoice",
    "/conversations?q=invoice&agent=agent-3",
    "/conversations?agent=agent-3",
    "/conversations?agent=nobody",
    "/conversations?source=codex",
    "/conversations?model=claude-opus-5-5",
    "/conversations?compacted=true",
    "/conversations?until={middle.last_at:%Y-%m-%dT%H:%M:%SZ}",
    "/conversations?external_id={middle.external_id}",
    "/compactions",
    "/compactions?order=worst",
    "/compactions?kind=threshold",
    "/compactions?kind=truncation",
    "/compactions?agent=agent-3",
    "/conversations/{long.pk}",
    "/conversations/{long.pk}/messages",
    "/conversations/{long.pk}/messages?around={last.pk}",
    "/conversations/{long.pk}/messages?in_context_at={compaction.pk}",
    "/conversations/{long.pk}/messages?external_id={last.external_id}",
    "/conversations/{long.pk}/timeline?points=500",
    "/conversations/{long.pk}/timeline?limit=500",
    "/conversations/{generations.pk}/timeline?points=500",
    "/compactions/{compaction.pk}",
    "/compactions/{compaction.pk}/dropped",
    "/compactions/{compaction.pk}/kept",
    "/compactions/{compaction.pk}/findings",
    "/messages/{last.pk}",
    "/agents",
]


def main():
    options = arguments()
    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False, keepdb=options.keep)
    old = runner.setup_databases(serialized_aliases=[])
    try:
        workspace, client = cast()
        if not workspace.conversations.exists():
            store.fill(workspace, options.conversations, options.records)
        report(client, addresses(workspace), options)
    finally:
        connection.close()
        runner.teardown_databases(old)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=[""], help="only addresses that hold one of these")
    parser.add_argument("--keep", action="store_true", help="leave the filled database behind for the next time")
    parser.add_argument("--profile", action="store_true", help="print where Python spends its time")
    parser.add_argument("--explain", action="store_true", help="print the plan of the slowest query of each address")
    return parser.parse_args()


def cast():
    workspace = Workspace.objects.get_or_create(slug="acme", name="Acme")[0]
    user = User.objects.filter(email="alice@example.org").first() or User.objects.create_user("alice@example.org")
    Membership.objects.get_or_create(workspace=workspace, user=user, role="owner")
    # No `setup_test_environment`, which would copy the context of every template: so by a name that is allowed.
    client = Client(headers={"Accept-Encoding": "gzip", "Host": "localhost"})
    client.force_login(user)
    return workspace, client


def addresses(workspace):
    """What is asked for. The pages for people, then the reads."""
    long, generations = store.long_ones(workspace)
    rows = {
        "long": long,
        "generations": generations,
        "compaction": long.compactions.get(number=3),
        "late": generations.compactions.get(number=100),
        "last": store.last_message(long),
        "middle": workspace.conversations.order_by("-last_at", "-id")[workspace.conversations.count() // 2],
    }
    pages = [f"/w/{workspace.slug}{page}" for page in PAGES]
    return [address.format(**rows) for address in (*pages, *(f"/api/v1{read}" for read in READS))]


class Cost(NamedTuple):
    """Milliseconds of one answer."""

    wall: float
    cpu: float  # of Python and Postgres
    postgres: float


def report(client, paths, options):
    print(
        f"{'wall p50':>8} {'p95':>6} {'cpu p50':>8} {'p95':>6} {'postgres':>8} {'queries':>8} {'kB gzip':>8}  address"
    )
    server = server_process()
    gc.freeze()  # as the server does
    for path in [path for path in paths if any(word in path for word in options.only)]:
        response, queries = asked(client, path)
        costs = [cost(client, path, server) for _ in range(options.times)]
        (wall, slow), (cpu, most), (postgres, _) = (spread(values) for values in zip(*costs, strict=True))
        figures = f"{wall:8.1f} {slow:6.1f} {cpu:8.1f} {most:6.1f} {postgres:8.1f} {len(queries):8}"
        print(f"{figures} {len(response.getvalue()) / 1000:8.1f}  {path}", flush=True)
        if options.profile:
            profile(client, path)
        if options.explain:
            explain(queries)


def spread(values):
    """The median and the 95th of a hundred."""
    return statistics.median(values), statistics.quantiles(values, n=20)[-1]


def asked(client, path):
    client.get(path)  # templates are compiled, plans are made
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    if response.status_code != 200:
        sys.exit(f"{path} answered {response.status_code}: {response.getvalue()[:300]!r}")
    return response, queries.captured_queries


def cost(client, path, server):
    began, used, theirs = time.perf_counter(), time.process_time(), server_time(server)
    client.get(path).getvalue()
    wall, used, theirs = time.perf_counter() - began, time.process_time() - used, server_time(server) - theirs
    return Cost(wall * 1000, (used + theirs) * 1000, theirs * 1000)


def server_process():
    """The file in which Linux counts what our connection's process has used; None where it runs elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        path = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    return path if path.exists() and b"postgres" in path.with_name("cmdline").read_bytes() else None


def server_time(path):
    """Seconds of the processor so far."""
    return int(path.read_text().split()[0]) / 1e9 if path else 0.0


def profile(client, path):
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(10):
        client.get(path)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(25)


def explain(queries):
    slowest = max(queries, key=lambda query: float(query["time"]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {slowest['sql']}".replace("%", "%%"))
        print("\n".join(f"      {row[0]}" for row in cursor.fetchall()))


if __name__ == "__main__":
    main()
