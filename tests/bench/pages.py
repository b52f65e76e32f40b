"""How fast pages and reads answer with 100,000 conversations and one of 20,000 records in the store.

    python -m tests.bench.pages [--conversations 100000] [--records 20000] [--times 40] [--only WORD] [--explain]

Fills a database of its own, asks through Django's test client (no network, all middleware), and prints for each
address the server's time (p50, p95), Python's share of the processor, the time of the queries and their number, and
the size of the answer compressed. On a busy machine only the two in the middle can be compared. Run it by hand.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django
import msgspec

django.setup()  # before any model is imported

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, get_runner, setup_test_environment  # noqa: E402

from conversations.ingest import services  # noqa: E402
from conversations.models import Agent, Conversation, Membership, Message, User, Workspace  # noqa: E402

LONG = 2750  # characters a message: 20,000 records of it are 55 MB
EVERY = 4000  # records between two compactions of the long conversation


def main():
    options = arguments()
    setup_test_environment()
    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False)
    old = runner.setup_databases()
    try:
        workspace, client = cast()
        fill(workspace, options.conversations)
        long = fill_long(workspace, options.records)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        report(client, addresses(workspace, long), options)
    finally:
        connection.close()
        runner.teardown_databases(old)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", default="", help="only addresses that hold this")
    parser.add_argument("--explain", action="store_true", help="print the plan of the slowest query of each address")
    return parser.parse_args()


def cast():
    workspace = Workspace.objects.create(slug="acme", name="Acme")
    user = User.objects.create_user("alice@example.org", "correct horse")
    Membership.objects.create(workspace=workspace, user=user, role="owner")
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(user)
    return workspace, client


def fill(workspace, count):
    """Conversations with four messages, two calls and for every third a compaction, by SQL."""
    began = time.perf_counter()
    agents = [Agent.objects.create(workspace=workspace, name=f"agent-{n % 7}", version=f"1.{n}").pk for n in range(20)]
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, {"w": workspace.pk, "n": count, "agents": agents, "line": LINE})
    print(f"{count:,} conversations in {time.perf_counter() - began:.0f} s")


LINE = (
    '{"stride": 1, "count": 4, "points": [[12000, 12000], [48000, 48000], [9000, 9000], [21000, 21000]], "marks": [2]}'
)
FILL = (
    """INSERT INTO conversations_conversation (workspace_id, source, external_id, agent_id, parent_external_id, title,
        cwd, complete, incomplete_reason, started_at, last_at, model_names, message_count, request_count,
        compaction_count, tokens_now, tokens_peak, sparkline, created_at)
    SELECT %(w)s, CASE n %% 3 WHEN 0 THEN 'codex' ELSE 'claude_code' END, md5(n::text),
        (%(agents)s::bigint[])[1 + n %% 20], '',
        'Fix the ' || (ARRAY['invoice','parser','timeline','login'])[1 + n %% 4] || ' of customer ' || n,
        '/srv/project-' || n %% 50, true, '', now() - n * interval '30 seconds',
        now() - n * interval '29 seconds', ARRAY['claude-sonnet-5-5'], 4, 2, (n %% 3 = 0)::int, 21000, 48000,
        %(line)s, now()
    FROM generate_series(1, %(n)s) n""",
    """INSERT INTO conversations_message (workspace_id, conversation_id, external_id, position, role, origin, at,
        blocks, size, excerpt, content_hash)
    SELECT %(w)s, c.id, 'm' || i, i * 10, (ARRAY['user','assistant'])[1 + i %% 2], 'spoken', c.started_at,
        json_build_array(json_build_object('type', 'text', 'text', repeat(md5(c.id::text || i) || ' ', 12))), 396, '',
        decode(md5(c.id::text || i), 'hex')
    FROM conversations_conversation c, generate_series(1, 4) i""",
    """INSERT INTO conversations_request (workspace_id, conversation_id, external_id, position, at, model, purpose,
        input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, context_tokens, stop_reason)
    SELECT %(w)s, c.id, 'r' || i, i * 20 - 5, c.started_at, 'claude-sonnet-5-5', 'turn', 10, 20000, 990, 300, 21000, ''
    FROM conversations_conversation c, generate_series(1, 2) i""",
    """INSERT INTO conversations_compaction (workspace_id, conversation_id, external_id, number, position, at, kind,
        trigger, instructions, model, error, summary_state, summary_external_id, kept_ids, cleared_ids, complete,
        dropped_count, kept_count, tokens_before_observed, tokens_after_observed)
    SELECT %(w)s, c.id, 'c1', 1, 25, c.last_at, (ARRAY['client','threshold'])[1 + c.id %% 2], 'auto', '', '', '',
        'absent', '', '[]', '[]', true, 2, 0, 48000, 9000
    FROM conversations_conversation c WHERE c.compaction_count > 0""",
    """UPDATE conversations_message m SET dropped_by_id = k.id FROM conversations_compaction k
    WHERE k.workspace_id = m.workspace_id AND k.conversation_id = m.conversation_id AND m.position < k.position""",
)


def fill_long(workspace, records):
    """One conversation through the ordinary way in, 500 events a batch."""
    began = time.perf_counter()
    size = 0
    events = list(long_events(records))
    for start in range(0, len(events), 2000):
        body = msgspec.json.encode({"events": events[start : start + 2000]})
        size += len(body)
        receipt = services.accept_events(workspace=workspace, body=body, claimed=True)
        services.digest_claimed([receipt.batch])
    seconds = time.perf_counter() - began
    print(f"{records:,} records, {size / 1e6:.0f} MB in {seconds:.1f} s: {size / 1e6 / seconds:.1f} MB/s, digested")
    return workspace.conversations.get(source="events", external_id="long")


def long_events(records):
    tokens = 18_000
    for n in range(records):
        shared = {
            "conversation": "long",
            "sequence": n * 10,
            "at": f"2026-11-20T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        }
        if n % EVERY == EVERY - 1:
            summary = " ".join(f"Point {i}: what was decided about file {i * n % 977}." for i in range(120))
            yield {
                "type": "compaction",
                "id": f"c{n}",
                "kind": "client",
                "trigger": "auto",
                "summary": summary,
                **shared,
            }
            tokens = 18_000
        elif n % 3 == 1:
            tokens += 140
            usage = {"input_tokens": 4, "cache_read_tokens": tokens, "output_tokens": 200}
            yield {"type": "request", "id": f"r{n}", "model": "claude-opus-5-5", "usage": usage, **shared}
        else:
            words = f"Line {n} of the log says that job {n * 7919 % 10007} ended with {n * 31 % 97}. "
            text = (words * (LONG * 3 // 2 // len(words) + 1))[: LONG * 3 // 2]
            role = "assistant" if n % 3 == 2 else "user"
            yield {"type": "message", "id": f"m{n}", "role": role, "content": text, **shared}


def addresses(workspace, long):
    """What is asked for. The pages for people, then the reads."""
    web, api = f"/w/{workspace.slug}", "/api/v1"
    compaction = long.compactions.order_by("number")[2]
    last = Message.objects.filter(conversation=long).order_by("-position").first()
    middle = Conversation.objects.filter(workspace=workspace).order_by("-last_at", "-id")[
        workspace.conversations.count() // 2
    ]
    return [
        f"{web}/",
        f"{web}/conversations/",
        f"{web}/conversations/?q=invoice&agent=agent-3",
        f"{web}/conversations/?compacted=yes",
        f"{web}/compactions/",
        f"{web}/compactions/?kind=threshold",
        f"{web}/conversations/{long.pk}/",
        f"{web}/compactions/{compaction.pk}/",
        f"{web}/messages/{last.pk}/",
        f"{web}/batches/",
        f"{api}/conversations",
        f"{api}/conversations?q=invoice",
        f"{api}/conversations?agent=agent-3",
        f"{api}/conversations?agent=nobody",
        f"{api}/conversations?source=codex",
        f"{api}/conversations?model=claude-opus-5-5",
        f"{api}/conversations?compacted=true",
        f"{api}/conversations?until={middle.last_at:%Y-%m-%dT%H:%M:%SZ}",
        f"{api}/conversations?external_id={middle.external_id}",
        f"{api}/compactions",
        f"{api}/compactions?kind=threshold",
        f"{api}/compactions?kind=truncation",
        f"{api}/compactions?agent=agent-3",
        f"{api}/conversations/{long.pk}",
        f"{api}/conversations/{long.pk}/messages",
        f"{api}/conversations/{long.pk}/messages?around={last.pk}",
        f"{api}/conversations/{long.pk}/messages?in_context_at={compaction.pk}",
        f"{api}/conversations/{long.pk}/messages?external_id={last.external_id}",
        f"{api}/conversations/{long.pk}/timeline?points=500",
        f"{api}/conversations/{long.pk}/timeline?limit=500",
        f"{api}/compactions/{compaction.pk}",
        f"{api}/compactions/{compaction.pk}/dropped",
        f"{api}/compactions/{compaction.pk}/kept",
        f"{api}/messages/{last.pk}",
        f"{api}/agents",
    ]


def report(client, paths, options):
    print(f"{'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8} {'db ms':>8} {'queries':>8} {'kB gzip':>8}  address")
    for path in paths:
        if options.only not in path:
            continue
        response, queries = asked(client, path)
        times = [timed(client, path) for _ in range(options.times)]
        wall, cpu = [time[0] for time in times], statistics.median(time[1] for time in times)
        p50, p95 = statistics.median(wall), statistics.quantiles(wall, n=20)[-1]
        database = sum(float(query["time"]) for query in queries) * 1000
        size = len(response.getvalue()) / 1000
        status = "" if response.status_code == 200 else f"  status {response.status_code}"
        figures = f"{p50:8.1f} {p95:8.1f} {cpu:8.1f} {database:8.0f} {len(queries):8} {size:8.1f}"
        print(f"{figures}  {path}{status}", flush=True)
        if options.explain:
            explain(queries)


def asked(client, path):
    client.get(path)  # templates are compiled, plans are made
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    return response, queries.captured_queries


def timed(client, path):
    """Milliseconds: by the clock, and of the processor in this process."""
    began, used = time.perf_counter(), time.process_time()
    client.get(path).getvalue()
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def explain(queries):
    slowest = max(queries, key=lambda query: float(query["time"]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {slowest['sql']}".replace("%", "%%"))
        print("\n".join(f"      {row[0]}" for row in cursor.fetchall()))


if __name__ == "__main__":
    main()
