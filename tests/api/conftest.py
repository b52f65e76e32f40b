import pytest

from conversations import tasks
from tests.factories import create_api_key


@pytest.fixture
def asked(monkeypatch):
    """What is put into the queue; tests digest with `?wait=1`."""
    names = []
    monkeypatch.setattr(tasks.digest, "delay", lambda: names.append("digest"))
    return names


@pytest.fixture
def key(acme):
    """Of an API key that may ingest."""
    return create_api_key(acme, ["ingest"])[1]
