import gzip
import json
from pathlib import Path

import pytest
import zstandard
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from conversations.api import auditing
from conversations.models import Batch, Compaction
from tests.factories import create_api_key

FILE = Path(__file__).parents[1] / "data/claude_code/2.1.330.jsonl"


@pytest.fixture
def post(client, acme):
    def send(body, *, scopes=("read",), path="/api/v1/audit", **headers):
        key = create_api_key(acme, scopes)[1]
        kind = headers.pop("content_type", "application/octet-stream")
        return client.post(path, body, content_type=kind, headers={"Authorization": f"Bearer {key}", **headers})

    return send


@pytest.mark.parametrize("scopes", [("read",), ("ingest",)])
def test_the_report_is_the_one_of_the_command(post, scopes, tmp_path):
    out = tmp_path / "report.json"
    with out.open("w") as file:
        call_command("audit", str(FILE), "--json", stdout=file)

    response = post(FILE.read_bytes(), scopes=scopes, path=f"/api/v1/audit?name={FILE}")

    assert response.status_code == 200
    assert response.json() == json.loads(out.read_text()) | {"problems": []}


def test_nothing_is_stored(post):
    post(FILE.read_bytes())

    assert (Batch.objects.count(), Compaction.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("pack", "headers"),
    [
        (gzip.compress, {"Content-Encoding": "gzip"}),
        (zstandard.compress, {"Content-Encoding": "zstd"}),
        (gzip.compress, {}),
    ],
)
def test_a_packed_file_is_the_same_file(post, pack, headers):
    plain, packed = post(FILE.read_bytes()), post(pack(FILE.read_bytes()), **headers)

    assert packed.json() == plain.json()


def test_a_form_with_one_file_is_taken(client, acme):
    key = create_api_key(acme)[1]

    response = client.post(
        "/api/v1/audit", {"file": SimpleUploadedFile("s.jsonl", FILE.read_bytes())}, headers={"X-API-Key": key}
    )

    assert response.json()["file"] == "s.jsonl"
    assert len(response.json()["compactions"]) == 2


def test_lines_that_cannot_be_read_are_told(post):
    response = post(FILE.read_bytes() + b'{"type": "user", \n' * 30)

    problems = response.json()["problems"]
    assert len(problems) == auditing.PROBLEMS
    assert problems[0]["line"] == FILE.read_bytes().count(b"\n") + 1


def test_half_a_surrogate_pair_in_a_transcript_is_no_trouble(post):
    body = FILE.read_bytes().replace(b'"text":"', b'"text":"\\ud83d ')

    assert post(body).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "unknown_format"),
        (b"some notes\n", 422, "unknown_format"),
        (b"x" * 2000, 413, "too_large"),
    ],
)
def test_what_cannot_be_taken_is_refused(post, settings, body, status, code):
    settings.MAX_AUDIT_BYTES = 1000

    response = post(body)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert "tmp" not in response.json()["error"]["message"]


def test_a_file_that_only_grows_too_large_when_unpacked_is_refused(post, settings):
    settings.MAX_AUDIT_BYTES = 1000

    assert post(gzip.compress(FILE.read_bytes())).status_code == 413


def test_a_file_of_too_many_compactions_is_refused(post, monkeypatch):
    monkeypatch.setattr(auditing, "MOST", 1)

    response = post(FILE.read_bytes())

    assert (response.status_code, response.json()["error"]["message"]) == (413, "The file has 2 compactions.")


def test_one_at_a_time(post):
    with auditing._turn:
        refused = post(FILE.read_bytes())

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert post(FILE.read_bytes()).status_code == 200


def test_without_a_key_nothing_is_audited(client, db):
    assert client.post("/api/v1/audit", b"", content_type="application/octet-stream").status_code == 401
