"""A collector, a model to talk to, and recorders that leave nothing behind."""

import pytest

from conversations.recorder import Limits, observe, observing
from conversations.recorder import delivery as deliveries
from tests.recorder.collector import Collector
from tests.standin.messages_api import MessagesApi, says

QUICK = Limits(linger=0.01, first_pause=0.01, longest_pause=0.05, wrong_pause=0.05, exit_seconds=0.5, timeout=5)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Own environment, disk and counts; what the test's recorders still hold goes with it."""
    for name in ("OBSERVATORY_URL", "OBSERVATORY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OBSERVATORY_SPILL_DIR", str(tmp_path / "spill"))
    monkeypatch.setattr(observing, "_known", {})
    monkeypatch.setattr(observing, "_told", set())
    deliveries.close_all()  # of another file's tests
    deliveries._all.clear()
    yield
    deliveries.close_all()
    deliveries._all.clear()


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


@pytest.fixture
def model():
    with MessagesApi() as api:
        api.otherwise = says("Hello there.")
        yield api


@pytest.fixture
def observed(collector):
    """`observe` towards the collector, in a hurry."""

    def wrap(client, **said):
        return observe(client, **{"url": collector.url, "key": "obs_key", "limits": QUICK, **said})

    return wrap
