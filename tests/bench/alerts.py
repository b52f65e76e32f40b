"""How long a tick takes: 1,000 rules over 1,000,000 audited compactions of 90 days; then a million that come late.

The first tick reads a day; the others go on from there, but for one every five minutes that reads the day again. The
processor's time of this process and of its Postgres is told apart from the clock's, which other work stretches.

    DATABASE_URL=postgres://… python -m tests.bench.alerts [--compactions 1000000] [--rules 1000]

It wants an empty database of its own, which it fills, and prints figures.
"""

import argparse
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402 -- Django is set up first
from django.db import connection  # noqa: E402 -- Django is set up first

from conversations.alerts.evaluation import definition_of, evaluate_rules  # noqa: E402 -- Django is set up first
from conversations.alerts.preview import preview  # noqa: E402 -- Django is set up first
from conversations.models import Agent, Rule, RuleProgress, Workspace  # noqa: E402 -- Django is set up first

NOW, MINUTE = datetime(2026, 11, 20, 12, tzinfo=UTC), timedelta(minutes=1)
AGENTS = 50
#: A rule of each, over and over, some for one agent and some for all.
KINDS = [
    {"metric": "forgotten", "aggregation": "each", "warning": 11, "group_by": "agent"},
    {"metric": "lost", "aggregation": "mean", "warning": 9, "window_minutes": 60},
    {"metric": "retention", "aggregation": "p50", "warning": 40, "direction": "below", "window_minutes": 1440},
    {"metric": "compactions", "aggregation": "count", "warning": 8, "group_by": "conversation"},
    {"metric": "freed", "aggregation": "p95", "warning": 200_000, "window_minutes": 180},
    {"metric": "failed", "aggregation": "share", "warning": 10, "window_minutes": 360},
    {"metric": "since_last", "aggregation": "each", "warning": 0.001, "direction": "below"},
    {"metric": "compression", "aggregation": "max", "warning": 90, "window_minutes": 60},
    {"metric": "harm", "aggregation": "sum", "direction": "rises", "warning": 300, "window_minutes": 360},
    {"metric": "tokens_after", "aggregation": "each", "warning": 99_500, "in_a_row": 3},
]
_CONVERSATIONS = """
    INSERT INTO conversations_conversation (workspace_id, source, external_id, agent_id, parent_external_id, title, cwd,
        complete, incomplete_reason, last_at, model_names, message_count, request_count, compaction_count, sparkline,
        created_at)
    SELECT %(workspace)s, 'events', 'c' || n, %(first)s + n %% %(agents)s, '', '', '', true, '', %(now)s, '{{}}', 0, 0,
        0, '{{}}', %(now)s FROM generate_series({low}, {high}) n
"""
_COMPACTIONS = """
    WITH made AS (
        INSERT INTO conversations_compaction (workspace_id, conversation_id, external_id, number, position, at, kind,
            trigger, instructions, model, error, summary_state, summary_external_id, kept_ids, cleared_ids, complete,
            dropped_count, kept_count, tokens_before_reported, tokens_after_reported)
        SELECT v.workspace_id, v.id, 'k' || n, n, n, %(now)s - random() * %(span)s, 'client', 'auto', '', '', '',
            'text', '', '[]', '[]', true, 0, 0, 150000 + (random() * 50000)::int, (random() * 100000)::int
        FROM conversations_conversation v, generate_series(1, 10) n WHERE v.id > %(after)s
        RETURNING id, workspace_id)
    INSERT INTO conversations_compactionaudit (workspace_id, compaction_id, state, version, audited_at, duration_ms,
        error, input_key, retention, facts, kept, altered, forgotten, added, harmful, open_losses, risk, harm_checkable,
        seen_messages, llm_state, llm_reason, llm_cost_usd, llm_key, llm_attempts)
    SELECT workspace_id, id, 'done', '1', %(now)s, 0, '', '', random(), 30, 20, (random() * 5)::int,
        (random() * 10)::int, 0, (random() < 0.02)::int, 0, 0, true, 0, 'off', '', 0, '', 0 FROM made
"""


def fill(workspace, count, *, span, low):
    """`count` compactions in conversations of ten, spread over `span` before NOW."""
    first = Agent.objects.filter(workspace=workspace).order_by("id").values_list("id", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM conversations_conversation")
        told = {"workspace": workspace.pk, "first": first, "agents": AGENTS, "now": NOW, "span": span}
        told["after"] = cursor.fetchone()[0]
        cursor.execute(_CONVERSATIONS.format(low=low, high=low + count // 10 - 1), told)
        cursor.execute(_COMPACTIONS, told)
        cursor.execute("ANALYZE")


def make_rules(workspace, count):
    """Nine of ten look at one agent, as most do; the others at all. No two have the same threshold."""
    Rule.objects.bulk_create(_rule(workspace, n) for n in range(count))


def _rule(workspace, n):
    kind = KINDS[n // 10 % len(KINDS)]
    agent = f"agent {n % AGENTS}" if n % 10 else ""
    threshold = kind["warning"] * (1 + n / 1_000_000)
    return Rule(workspace=workspace, name=f"rule {n}", agent_name=agent, **{**kind, "warning": threshold})


def measured(name, work):
    """What `work` returns; wall clock and the CPU of this process and of its Postgres are printed."""
    begin, cpu, served = time.perf_counter(), time.process_time(), server_seconds()
    found = work()
    wall, ours = time.perf_counter() - begin, time.process_time() - cpu
    print(f"{name}: {wall:.2f} s; CPU {ours:.2f} s, Postgres {server_seconds() - served:.2f} s", flush=True)
    return found


def server_seconds():
    """CPU of the process that serves our connection; 0 where it runs elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    """Fill, evaluate, let a million come late, evaluate, preview."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compactions", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=1_000)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    workspace = Workspace.objects.create(slug="bench", name="Bench")
    Agent.objects.bulk_create(Agent(workspace=workspace, name=f"agent {n}", version="1") for n in range(AGENTS))
    measured("filled", lambda: fill(workspace, options.compactions, span=timedelta(days=90), low=1))
    make_rules(workspace, options.rules)
    print(measured("first tick", lambda: evaluate_rules(NOW)))
    for minutes in (1, 2, 3):
        print(measured("a tick", lambda minutes=minutes: evaluate_rules(NOW + minutes * MINUTE)))
    print(measured("tick that reads the day again", lambda: evaluate_rules(NOW + 6 * MINUTE)))
    measured("a million late", lambda: fill(workspace, options.compactions, span=timedelta(days=90), low=10_000_001))
    print(measured("a tick after them", lambda: evaluate_rules(NOW + 7 * MINUTE)))
    print(measured("tick that reads them", lambda: evaluate_rules(NOW + 12 * MINUTE)))
    print(measured("a tick", lambda: evaluate_rules(NOW + 13 * MINUTE)))
    print(measured("tick an hour later, when the anchor moves", lambda: evaluate_rules(NOW + 73 * MINUTE)))
    for kind in KINDS[:4]:
        rule = definition_of(Rule(workspace=workspace, name="", **kind))
        found = measured(f"preview of {kind['metric']}, 30 days", lambda rule=rule: preview(workspace, rule, 30, NOW))
        print(f"  matched {found.matched:,}, fired {found.fired:,}")
    print(f"failing: {RuleProgress.objects.exclude(problem='').count()}")


if __name__ == "__main__":
    main()
