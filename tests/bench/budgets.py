"""How fast an agent is told how its budgets stand: /api/v1/budgets/status with 8 budgets of all scopes and periods.

    python -m tests.bench.budgets [--agents 20] [--days 90] [--times 400] [--profile]

Fills a database of its own with sums of so many agents and days, and asks through Django's test client (no network, all
middleware). Prints the processor's time a question of Python alone, and of the server by the clock: unchanged with and
without its ETag, after something was counted, and the first one of a process. Run it by hand.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import time
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()  # before any model is imported

from django.db import connection  # noqa: E402
from django.db.models import F  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import get_runner  # noqa: E402
from django.utils import timezone  # noqa: E402

from conversations.api import budget_status  # noqa: E402
from conversations.models import AgentDay, AgentSlot, AgentTotal, SpendingVersion, Workspace  # noqa: E402
from conversations.spending import budget_settings  # noqa: E402
from conversations.spending.windows import SLOT, slot_of  # noqa: E402
from tests.factories import create_agent, create_api_key, create_conversation  # noqa: E402
from tests.spending.rows import create_budget, spend  # noqa: E402

BUDGETS = [
    {"scope": "conversation"}, {"scope": "conversation", "period": "hour"}, {"scope": "agent", "period": "day"},
    {"scope": "agent", "period": "month", "time_zone": "Europe/Berlin"}, {"scope": "agent_version", "period": "week"},
    {"scope": "workspace", "period": "rolling", "rolling_hours": 24}, {"scope": "workspace", "period": "month"},
    {"scope": "workspace", "period": "day", "metric": "cost"},
]  # fmt: skip
PATH = "/api/v1/budgets/status?agent=agent-3&conversation=c3"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--times", type=int, default=400)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False)
    old = runner.setup_databases(serialized_aliases=[])
    try:
        report(fill(options), options)
    finally:
        connection.close()
        runner.teardown_databases(old)


def fill(options):
    """The key's header."""
    workspace = Workspace.objects.create(slug="bench", name="Bench")
    now = timezone.now()
    for number in range(options.agents):
        agent = create_agent(workspace, f"agent-{number}")
        spend(create_conversation(workspace, agent=agent, external_id=f"c{number}"), slot=slot_of(now), input_tokens=5)
        fill_agent(workspace, agent, now, options.days)
    for number, fields in enumerate(BUDGETS):
        create_budget(workspace, name=str(number), limit=10**9, **fields)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    _, key = create_api_key(workspace)
    return {"Authorization": f"Bearer {key}"}


def fill_agent(workspace, agent, now, days):
    """A day's worth in every quarter of an hour, of two models."""
    first = slot_of(now) - timedelta(days=days)
    for model in ("claude-opus-5", "claude-sonnet-5"):
        made = {"workspace": workspace, "agent": agent, "model": model, "calls": 3, "input_tokens": 1000}
        slots = [AgentSlot(start=first + number * SLOT, **made) for number in range(days * 96)]
        AgentSlot.objects.bulk_create(slots, batch_size=5000)
        days_made = [AgentDay(day=(first + timedelta(days=number)).date(), **made) for number in range(days)]
        AgentDay.objects.bulk_create(days_made, ignore_conflicts=True)
        AgentTotal.objects.bulk_create([AgentTotal(**made)], ignore_conflicts=True)


def report(headers, options):
    client = Client(SERVER_NAME="localhost")
    answer = client.get(PATH, headers=headers)  # notes the key's use
    answer = client.get(PATH, headers=headers)
    assert len(answer.json()["budgets"]) == len(BUDGETS)
    tag = {"If-None-Match": answer.headers["ETag"]}
    cases = {
        "unchanged, 304": (lambda: client.get(PATH, headers=headers | tag), lambda: None),
        "unchanged, whole": (lambda: client.get(PATH, headers=headers), lambda: None),
        "after counting": (lambda: client.get(PATH, headers=headers), count),
        "first of a process": (lambda: client.get(PATH, headers=headers), forget),
    }
    print(f"{'':20} CPU of Python best      p50   p95 ms   clock p50 ms")
    for name, (ask, before) in cases.items():
        profile = cProfile.Profile() if options.profile else None
        cpu, clock = measure(ask, before, options.times, profile)
        most = sorted(cpu)[int(len(cpu) * 0.95)]
        print(f"{name:20} {min(cpu):18.2f} {statistics.median(cpu):8.2f} {most:8.2f} {statistics.median(clock):12.2f}")
        if profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(25)


def measure(ask, before, times, profile):
    cpu, clock = [], []
    for _ in range(times):
        before()
        began, began_clock = time.process_time(), time.perf_counter()
        answer = profile.runcall(ask) if profile else ask()
        cpu.append((time.process_time() - began) * 1000)
        clock.append((time.perf_counter() - began_clock) * 1000)
        assert answer.status_code in (200, 304)
    return cpu, clock


def count():
    SpendingVersion.objects.update(counted=F("counted") + 1)


def forget():
    budget_status.forget()
    budget_settings.forget()


if __name__ == "__main__":
    main()
