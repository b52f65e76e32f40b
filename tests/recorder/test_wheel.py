"""The recorder installed alone: from the server's wheel, and from its source."""

import hashlib
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest
from django.http import Http404

from conversations.ops.recorder_wheel import FILE, recorder_wheel
from conversations.web.recorder import wheel

USED_ALONE = """
import sys, observatory_recorder
assert observatory_recorder.observe(3) == 3
loaded = {"django", "conversations", "observatory", "msgspec"} & {name.partition(".")[0] for name in sys.modules}
print(observatory_recorder.__version__, sorted(loaded))
"""


def test_the_page_leads_to_the_wheel(client):
    page = client.get("/recorder/")
    assert page.status_code == 200
    assert f'href="/recorder/{FILE}#sha256={hashlib.sha256(recorder_wheel()).hexdigest()}"' in page.content.decode()


def test_the_wheel_is_served_and_not_sent_twice(client):
    answer = client.get(f"/recorder/{FILE}")
    assert (answer.status_code, answer.content) == (200, recorder_wheel())
    assert client.get(f"/recorder/{FILE}", headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.mark.parametrize("name", ["observatory_recorder-9.9-py3-none-any.whl", "x"])
def test_other_files_are_not_there(rf, name):
    with pytest.raises(Http404):
        wheel(rf.get("/"), name)


def test_the_same_source_gives_the_same_bytes():
    first = recorder_wheel()
    recorder_wheel.cache_clear()
    assert recorder_wheel() == first


def test_its_record_is_right():
    with zipfile.ZipFile(BytesIO(recorder_wheel())) as packed:
        assert packed.testzip() is None
        [record] = [name for name in packed.namelist() if name.endswith("RECORD")]
        listed = [line.split(",")[0] for line in packed.read(record).decode().splitlines()]
        assert sorted(listed) == sorted(packed.namelist())


def test_it_installs_and_runs_without_the_server(tmp_path):
    (tmp_path / FILE).write_bytes(recorder_wheel())
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(tmp_path / "alone"), str(tmp_path / FILE)], check=True, timeout=120)
    # -S: nothing of this environment's packages, only those that were just installed
    run = [sys.executable, "-S", "-c", USED_ALONE]
    env = {"PYTHONPATH": str(tmp_path / "alone")}
    ended = subprocess.run(run, env=env, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    assert ended.stdout == "0.1.0 []\n"
    script = tmp_path / "alone/bin/observatory-hook"
    asked = subprocess.run([sys.executable, script, "--help"], env=env, capture_output=True, text=True, check=True)
    assert "uninstall" in asked.stdout
