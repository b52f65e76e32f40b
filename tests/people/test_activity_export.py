import csv
import io
import json

import pytest

from conversations.people.activity import record_activity
from conversations.people.activity_export import as_csv, as_json_lines, told


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({}, ""),
        ({"role": ["viewer", "admin"]}, "role: viewer → admin"),
        ({"scopes": ["ingest, read", ""]}, "scopes: ingest, read → none"),
        ({"scopes": ["ingest", "manage", "read"]}, "scopes: ingest, manage, read"),
        ({"fields": ["name"], "expires_at": None, "keys_revoked": 0}, "fields: name; keys revoked: 0"),
    ],
)
def test_detail_is_told_in_words(detail, said):
    assert told(detail) == said


def test_lines_hold_everything(acme):
    row = record_activity(workspace=acme, actor="=cmd()", action="key.made", target=acme, detail={"é": 1})

    [line] = as_json_lines([row])
    header, values = csv.reader(io.StringIO(b"".join(as_csv([row])).decode()))

    assert json.loads(line)["actor"] == "=cmd()"
    assert json.loads(line)["detail"] == {"é": 1}
    told_values = dict(zip(header, values, strict=True))
    assert told_values["actor"] == "'=cmd()"  # a spreadsheet must not run it
    assert (told_values["target_kind"], told_values["target"]) == ("workspace", "Acme")
