import subprocess
import sys
from pathlib import Path

import pytest

from observatory import cli

ROOT = Path(__file__).parents[2]
CLAUDE = ROOT / "tests/data/claude_code/2.1.330.jsonl"
#: Prints which of some slow modules an audit of a file loads.
LOADS = """
import sys
from observatory.cli import main
main()
print(*sorted({"celery", "psycopg", "rest_framework", "django.db.models", "allauth"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("audit FILE", True),
        ("audit FILE --json", True),
        ("audit --top 3 FILE --fail-on lost>3", True),
        ("audit FILE --top=3", True),
        ("audit", True),
        ("audit FILE --llm", False),
        ("audit FILE --ll", False),
        ("audit --stale", False),
        ("audit --help", False),
        ("audit FILE --settings other.settings", False),
        ("up", False),
        ("", False),
    ],
)
def test_only_a_plain_audit_of_a_file_needs_nothing(words, expected):
    assert cli._needs_nothing(["manage.py", *words.split()]) is expected


def test_a_plain_audit_loads_neither_apps_nor_broker_nor_store():
    command = [sys.executable, "-c", LOADS, "audit", str(CLAUDE)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "no.such.settings"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=120)
    assert "Compaction 1 (client" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


def test_jobs_are_sent_by_our_app():
    from celery import current_app  # noqa: PLC0415 -- loaded by the apps

    assert current_app.main == "observatory"
