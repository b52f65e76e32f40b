import pytest

from tests.ops.server import Server


@pytest.fixture
def serve(tmp_path):
    """Start a server on a data directory of the test's own; stopped whatever becomes of the test."""
    servers = []

    def start(*options, data_dir=tmp_path / "data", **more):
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        servers.append(Server(data_dir, *options, **more))
        return servers[-1].wait_until_ready()

    yield start
    for server in servers:
        server.stop()
