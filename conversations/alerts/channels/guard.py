"""Whom channels may speak to: public addresses, and the private ones that the operator allows.

Channels are written by a workspace's admins, who must not reach what only the server can: its own ports, a cloud's
metadata, the neighbours. A check of the address as it is written would be passed by a name that resolves elsewhere a
moment later, by a redirect, or by a library that connects in its own way. So the check is made where every connection
of Python begins: an audit hook sees the very address that a socket is about to connect to, whichever library asked,
and refuses it. It acts only inside of `guarded()`, in the thread that entered it.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import inet_aton
from typing import Any

Address = IPv4Address | IPv6Address
Networks = tuple[str, ...]

_NAT64 = IPv6Network("64:ff9b::/96")
_STARTS_PROGRAMS = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_SPEAKS = frozenset({"socket.connect", "socket.sendmsg", "socket.sendto"})


class AddressRefused(PermissionError):
    """A channel was about to speak to an address that it may not reach."""


@dataclass(slots=True)
class Watch:
    """What was seen within one `guarded()`; libraries turn the exception into their own, so it is noted here."""

    allowed: Networks  # besides public addresses
    refused: str = ""  # why the last thing that was refused was


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)  # None outside of `guarded()`


@contextmanager
def guarded(allowed: Sequence[str]) -> Iterator[Watch]:
    """Within it, this thread connects to public addresses and to `allowed` networks ("10.1.0.0/16") only, and starts
    no programs: anything else raises AddressRefused."""
    _install()
    watch = Watch(tuple(allowed))
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def may_reach(address: Address, allowed: Networks) -> bool:
    """Whether a channel may connect to it. What an IPv6 address carries of IPv4 is looked at, not the wrapping."""
    inner = _unwrapped(address)
    if any(inner in network or address in network for network in _networks(allowed)):
        return True
    return inner.is_global and not inner.is_multicast


def is_refused_as_written(host: str, allowed: Networks) -> bool:
    """Whether a host can be told to be out of reach before it is spoken to: an address in any spelling that the system
    takes (127.1, 0x7f000001), or this machine. Where a name leads is seen when it is connected to."""
    name = host.lower().rstrip(".")
    try:
        address: Address = IPv4Address(inet_aton(name)) if ":" not in name else ip_address(name.partition("%")[0])
    except (OSError, ValueError):
        return (name == "localhost" or name.endswith(".localhost")) and is_refused_as_written("127.0.0.1", allowed)
    return not may_reach(address, allowed)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if carried is None and address in _NAT64:
        carried = IPv4Address(int(address) & 0xFFFFFFFF)
    return carried or address


@cache
def _networks(allowed: Networks) -> list[Any]:
    return [ip_network(text, strict=False) for text in allowed]


@cache
def _install() -> None:
    """Once a process, when the first message is sent: a hook cannot be taken out again."""
    sys.addaudithook(_look)


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    watch = _watch.get()
    if watch is None:
        return
    if objection := _objection(event, arguments, watch.allowed):
        watch.refused = objection
        raise AddressRefused(objection)


def _objection(event: str, arguments: tuple[Any, ...], allowed: Networks) -> str:
    if event in _STARTS_PROGRAMS:
        return "A channel may not start programs."
    if event not in _SPEAKS or arguments[1] is None:  # None: a datagram to where the socket is connected already
        return ""
    host = arguments[1][0] if isinstance(arguments[1], tuple) else arguments[1]
    try:
        address = ip_address(str(host).partition("%")[0])
    except ValueError:  # a name that is yet to be resolved, or a path: nobody could say where it leads
        return "It is not reached over IP."
    return "" if may_reach(address, allowed) else "Its address is private, and private addresses are not allowed here."
