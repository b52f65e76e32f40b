import socket
import subprocess
import threading
from ipaddress import ip_address

import pytest
import requests

from conversations.alerts.channels.guard import AddressRefused, guarded, may_reach
from tests.alerts.receiver import serve


@pytest.mark.parametrize(
    ("address", "allowed", "may"),
    [
        ("93.184.215.14", (), True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", (), True),
        ("127.0.0.1", (), False),
        ("10.0.0.1", (), False),
        ("169.254.169.254", (), False),  # a cloud's metadata
        ("100.64.0.1", (), False),
        ("0.0.0.0", (), False),  # noqa: S104 -- what must be refused
        ("224.0.0.1", (), False),
        ("::1", (), False),
        ("fe80::1", (), False),
        ("fd00::1", (), False),
        ("::ffff:127.0.0.1", (), False),  # IPv4 in IPv6 clothes
        ("2002:7f00:1::", (), False),  # 6to4 of 127.0.0.1
        ("64:ff9b::7f00:1", (), False),  # NAT64 of 127.0.0.1
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("10.2.2.3", ("10.1.0.0/16",), False),
        ("::ffff:10.1.2.3", ("10.1.0.0/16",), True),
        ("::1", ("10.1.0.0/16", "::1/128"), True),
    ],
)
def test_which_addresses_may_be_reached(address, allowed, may):
    assert may_reach(ip_address(address), allowed) is may


@pytest.fixture(scope="module")
def listener():
    receiver, server = serve()
    yield receiver
    server.shutdown()
    server.server_close()


def test_a_redirect_that_a_library_follows_is_refused_at_the_socket(listener):
    listener.forget()
    listener.answer(307, Location=listener.url.replace("127.0.0.1", "127.0.0.2"))

    with guarded(["127.0.0.1/32"]) as watch, pytest.raises(requests.ConnectionError):
        requests.post(listener.url, timeout=5)

    assert "private" in watch.refused
    assert len(listener.requests) == 1


def test_outside_of_the_guard_and_in_other_threads_nothing_is_refused(listener):
    listener.forget()
    found = []
    other = threading.Thread(target=lambda: found.append(requests.post(listener.url, timeout=5).status_code))

    with guarded([]):
        other.start()
        other.join()

    assert found == [204]
    assert requests.post(listener.url, timeout=5).status_code == 204


def test_one_refusal_does_not_refuse_the_next(listener):
    listener.forget()

    with guarded(["127.0.0.1/32"]):
        with pytest.raises(AddressRefused), socket.socket() as refused:
            refused.connect(("127.0.0.2", 80))
        assert requests.post(listener.url, timeout=5).status_code == 204


@pytest.mark.parametrize("address", ["localhost", "/run/docker.sock"])
def test_names_and_paths_are_refused(address):
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET

    with guarded(["127.0.0.0/8"]), pytest.raises(AddressRefused), socket.socket(family) as refused:
        refused.connect(address if family == socket.AF_UNIX else (address, 80))


def test_no_program_is_started():
    with guarded([]), pytest.raises(AddressRefused):
        subprocess.run(["true"], check=True)
