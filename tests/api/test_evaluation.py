import io
import json

import pyarrow.parquet as pq
import pytest

from conversations.models import Activity, Review
from tests.factories import create_api_key
from tests.review.test_evaluation_set import judged  # noqa: F401 -- a fixture

SET, CARD, LABELS = "/api/v1/evaluation-set", "/api/v1/evaluation-set/card", "/api/v1/labels"


def bearer(workspace, *scopes):
    return {"Authorization": f"Bearer {create_api_key(workspace, scopes)[1]}"}


def test_set_comes_as_json_lines(client, acme, judged):  # noqa: F811
    response = client.get(SET, headers=bearer(acme, "read"))

    [row] = [json.loads(line) for line in response.getvalue().splitlines()]
    assert (row["compaction"], row["labels"][0]["answer"], row["dropped"]) == ("k-1", "agree", None)
    assert response["Content-Disposition"] == 'attachment; filename="evaluation-set.jsonl"'
    assert Activity.objects.filter(action="judgements.exported").count() == 1


def test_set_comes_as_parquet_with_texts(alice, judged):  # noqa: F811
    response = alice.get(SET, {"format": "parquet", "texts": "true", "names": "true"})

    [row] = pq.read_table(io.BytesIO(response.getvalue())).to_pylist()
    assert (row["dropped"][0]["message"], row["reviews"][0]["reviewer"]) == ("m-1", "Ada")


def test_card_is_markdown(victor, judged):  # noqa: F811
    response = victor.get(CARD)

    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    assert response.content.decode().startswith("# Evaluation set: what compactions forgot, Acme")


@pytest.mark.parametrize("address", [SET, CARD])
def test_judgements_are_hidden_from_outsiders(client, charlie, globex, address, judged):  # noqa: F811
    assert charlie.get(address, {"workspace": "acme"}).status_code == 404
    assert client.get(address).status_code == 401
    assert client.get(address, headers=bearer(globex, "ingest")).status_code == 403
    assert b"k-1" not in client.get(address, headers=bearer(globex, "read")).getvalue()


def test_labels_come_in_line_by_line(client, acme, judged):  # noqa: F811
    body = b'{"conversation": "c-1", "number": 1, "labeller": "A", "overall": "faithful"}\n\nnot json\n'

    response = client.post(LABELS, body, content_type="application/x-ndjson", headers=bearer(acme, "review"))

    first, second = response.json()["results"]
    assert (response.status_code, first["status"], second["status"]) == (207, "accepted", "rejected")
    assert (second["index"], second["code"]) == (1, "bad_line")
    assert Review.objects.get(made_by="A").overall == "faithful"


def test_labels_need_the_scope_to_review(client, acme, judged):  # noqa: F811
    response = client.post(LABELS, b"{}", content_type="application/x-ndjson", headers=bearer(acme, "ingest", "read"))

    assert (response.status_code, Review.objects.filter(made_by="A").count()) == (403, 0)
