import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[2]
CLAUDE = ROOT / "tests/data/claude_code/2.1.330.jsonl"
CODEX = ROOT / "tests/data/codex/0.169.0-local.jsonl"


def run(*arguments):
    out = StringIO()
    call_command("audit", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(("file", "compactions"), [(CLAUDE, 2), (CODEX, 1)])
def test_json_has_every_compaction(file, compactions):
    report = json.loads(run(file, "--json"))
    assert [c["number"] for c in report["compactions"]] == list(range(1, compactions + 1))
    assert all(c["summary_state"] == "text" for c in report["compactions"])


def test_text_names_every_compaction():
    assert "Compaction 1 (client" in run(CLAUDE)
    assert "Compaction 2 (client" in run(CLAUDE)


def test_a_condition_that_is_met_fails_the_run():
    with pytest.raises(CommandError, match=r"Compaction 1: forgotten>=0") as failed:
        run(CLAUDE, "--fail-on", "forgotten>=0")
    assert failed.value.returncode == 1


def test_a_condition_that_is_not_met_changes_nothing():
    assert "Compaction 1" in run(CLAUDE, "--fail-on", "forgotten>999,retention<0")


@pytest.mark.parametrize("condition", ["forgoten>1", "forgotten"])
def test_a_condition_that_cannot_be_read_is_an_error_of_its_own(condition):
    with pytest.raises(CommandError) as failed:
        run(CLAUDE, "--fail-on", condition)
    assert failed.value.returncode == 2


def test_a_file_of_no_known_format_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("just some notes\n")
    with pytest.raises(CommandError, match=r"notes\.txt is no transcript") as failed:
        run(tmp_path / "notes.txt")
    assert failed.value.returncode == 2


def test_a_missing_file_is_an_error_and_not_a_traceback(tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as failed:
        run(tmp_path / "nothing.jsonl")
    assert failed.value.returncode == 2


def test_it_runs_without_a_database_and_exits_with_its_code():
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    command = [sys.executable, str(ROOT / "manage.py"), "audit", str(CLAUDE), "--json", "--fail-on", "kept>=0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 1
    assert json.loads(done.stdout)["compactions"]
    assert "kept>=0" in done.stderr
