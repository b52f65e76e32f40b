import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from conversations import tasks
from conversations.models import Batch, Conversation, Message, Workspace
from tests.ingest.formats.lines import boundary, summary, user


@pytest.fixture(autouse=True)
def audited(monkeypatch):
    ids = []
    monkeypatch.setattr(tasks.audit_conversation, "delay", ids.append)
    return ids


def write(path, session, *records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({**record, "sessionId": session}) + "\n" for record in records))
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "a" / "one.jsonl", "one", user("u1", "Never push"), boundary("b1"), summary("s1"))
    write(tmp_path / "b" / "c" / "two.jsonl", "two", user("u2", "Hello"))
    (tmp_path / "notes.txt").write_text("not looked at")
    return tmp_path


def run(capsys, *paths, **options):
    call_command("import", *map(str, paths), **{"processes": 1, **options})
    return capsys.readouterr().out.splitlines()


def test_folders_are_searched_and_a_sum_is_told(acme, folder, capsys, audited):
    *told, total = run(capsys, folder)

    assert [line.split()[0] for line in told] == ["imported", "imported"]
    assert total.startswith("2 files: 2 imported, 0 known, 0 unknown, 0 failed. In them 2 conversations, 3 messages")
    assert total.endswith("1 compactions; 0 problems.")
    assert audited == [Conversation.objects.get(external_id="one").pk]


def test_what_is_known_is_passed_over(acme, folder, capsys):
    run(capsys, folder)

    assert "0 imported, 2 known" in run(capsys, folder)[-1]
    assert Batch.objects.count() == 2


def test_file_that_grew_is_imported_again(acme, folder, capsys):
    run(capsys, folder)
    with (folder / "b/c/two.jsonl").open("a") as file:
        file.write(json.dumps({**user("u3", "More"), "sessionId": "two"}) + "\n")

    assert "1 imported, 1 known" in run(capsys, folder)[-1]
    assert Message.objects.filter(conversation__external_id="two").count() == 2


def test_broken_line_is_told_with_its_file_and_number(acme, folder, capsys):
    with (folder / "b/c/two.jsonl").open("a") as file:
        file.write("{broken\n")

    assert any("two.jsonl: line 2: " in line for line in run(capsys, folder))
    assert Message.objects.filter(conversation__external_id="two").count() == 1


def test_file_of_another_format_fails_only_where_it_was_named(acme, folder, capsys):
    other = folder / "other.jsonl"
    other.write_text('{"a": 1}\n')

    assert "1 unknown" in run(capsys, folder)[-1]
    with pytest.raises(CommandError, match="1 of 1 files could not be imported"):
        run(capsys, other)


@pytest.mark.parametrize(("name", "message"), [("missing", "There is no "), (".", r"no \.jsonl file")])
def test_nothing_to_import_is_told(acme, tmp_path, capsys, name, message):
    with pytest.raises(CommandError, match=message):
        run(capsys, tmp_path / name)


@pytest.mark.django_db(transaction=True)
def test_files_are_read_by_several_processes(folder, database_url):
    Workspace.objects.create(slug="acme", name="Acme")
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        f"if __name__ == '__main__': call_command('import', {str(folder)!r}, processes=2)\n"
    )
    script = folder / "run.py"
    script.write_text(code)
    environment = {
        "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "observatory.settings", "PYTHONPATH": ".",
        "CELERY_BROKER_URL": "memory://", "OBSERVATORY_DATA_DIR": str(folder), "PATH": "",
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], env=environment, capture_output=True, text=True, check=False
    )

    assert "2 files: 2 imported" in done.stdout, done.stderr
    assert Conversation.objects.count() == 2
