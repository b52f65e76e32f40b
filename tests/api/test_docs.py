import re
from pathlib import Path

import pytest
from django.test import Client

from conversations.api.compactions import CompactionListView
from conversations.api.conversations import ConversationListView
from conversations.api.messages import MessageListView

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text()


def test_every_endpoint_is_documented():
    document = Client().get("/api/v1/schema?format=json").json()
    written = API + "".join(path.read_text() for path in DOCS.glob("ingest.md"))

    missing = [path for path in document["paths"] if not re.search(re.escape(path) + r"[`?\s]", written)]

    assert missing == []


@pytest.mark.parametrize("view", [ConversationListView, CompactionListView, MessageListView])
def test_every_filter_is_documented(view):
    [paragraph] = re.findall(r"\*\*Filters\*\*(.*?)\n\n", API, re.DOTALL)

    assert {parameter.name for parameter in view.known} <= set(re.findall(r"`(\w+)`", paragraph))


def test_queries_of_the_examples_are_known():
    known = {
        parameter.name
        for view in (ConversationListView, CompactionListView, MessageListView)
        for parameter in view.parameters()
    }
    queries = re.findall(r"\$OBSERVATORY/(?:conversations|compactions)[^\"]*\?([^\"]*)", API)

    names = {pair.partition("=")[0] for query in queries for pair in query.split("&")}

    assert queries
    assert names <= known | {"format", "points"}
