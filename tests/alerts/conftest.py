from datetime import timedelta

import pytest

from conversations.alerts.outbox import due_channels
from conversations.alerts.telling import tell
from tests.alerts.receiver import serve
from tests.alerts.telling import AT


@pytest.fixture(scope="module")
def receiving():
    receiver, server = serve()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver(receiving, settings):
    """Answers 204 unless told otherwise, and may be reached."""
    settings.CHANNEL_NETWORKS = ["127.0.0.1/32"]
    receiving.forget()
    return receiving


class Clock:
    """Goes only when it is told to."""

    def __init__(self):
        self.now = AT

    def __call__(self):
        return self.now

    def go(self, **duration):
        self.now += timedelta(**duration)

    def sweep(self, **how):
        """What the timetable does: every channel that has something due tells it."""
        for channel_id in due_channels(self.now):
            tell(channel_id, self, **how)


@pytest.fixture
def clock():
    return Clock()
