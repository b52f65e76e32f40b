import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from conversations.alerts.channels.sealing import Secret, seal, unseal
from conversations.alerts.channels.signing import new_signing_key, signature
from conversations.errors import Unavailable
from tests.alerts.telling import create_channel

SECRET = Secret(address="https://hooks.example.org/t0ps3cret", signing_key="whsec_x")
DOCUMENT = Path(__file__).parents[3] / "docs/alerts.md"


def test_what_is_sealed_comes_back_and_tells_nothing():
    sealed = seal(SECRET)

    assert unseal(sealed) == SECRET
    assert "t0ps3cret" not in sealed + repr(SECRET) + str(SECRET)
    assert sealed != seal(SECRET)


def test_a_former_key_still_opens(settings):
    sealed = seal(SECRET)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"

    assert unseal(sealed) == SECRET


def test_an_unknown_key_does_not(settings):
    sealed = seal(SECRET)
    settings.SECRET_KEY = "another"

    with pytest.raises(Unavailable, match="another secret key"):
        unseal(sealed)


def test_resealing_needs_the_former_key_once(acme, settings, capsys):
    channel = create_channel(acme, "webhook", address="https://hooks.example.org/")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(CommandError, match=channel.name):
        call_command("reseal")

    settings.SECRET_KEY_FALLBACKS = [former]
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    channel.refresh_from_db()

    assert unseal(channel.sealed).address == "https://hooks.example.org/"


def test_the_documented_snippet_verifies_signatures():
    snippet = re.search(r"```python\n(import hashlib.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]
    space = {}
    exec(compile(snippet, "alerts.md", "exec"), space)  # noqa: S102 -- our own documentation
    verify, key, now = space["is_from_observatory"], new_signing_key(), datetime.now(UTC)

    good = signature(key, b"{}", now)

    assert verify(key, good, b"{}")
    assert not verify(key, good, b"{ }")
    assert not verify(new_signing_key(), good, b"{}")
    assert not verify(key, signature(key, b"{}", datetime(2026, 1, 1, tzinfo=UTC)), b"{}")
