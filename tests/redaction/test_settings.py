import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from conversations.errors import Unavailable
from conversations.redaction.settings import redactor_at_ingest, redactor_of, settings_of
from conversations.vocabulary import Redaction


def test_workspaces_have_keys_of_their_own(acme, globex):
    assert redactor_of(acme).text("a@b.org") != redactor_of(globex).text("a@b.org")
    assert redactor_of(acme).text("a@b.org") == redactor_of(acme).text("a@b.org")


def test_off_asks_nothing(acme, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert redactor_at_ingest(acme) is None


def test_key_is_taken_along_when_the_secret_key_changes(acme, settings):
    before = redactor_of(acme).text("a@b.org")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []

    assert redactor_of(acme).text("a@b.org") == before


def test_lost_key_says_what_to_do(acme, settings):
    acme.redaction = Redaction.INGEST
    settings_of(acme)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []

    with pytest.raises(Unavailable, match="Nothing can be redacted") as raised:
        redactor_at_ingest(acme)
    assert "OBSERVATORY_SECRET_KEY_FALLBACKS" in raised.value.mend
    with pytest.raises(CommandError, match="Acme"):
        call_command("reseal")


def test_server_that_redacts_nothing_loads_nothing_for_it():
    """What digestion imports, in a process of its own."""
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup();"
        "import conversations.tasks, conversations.web.redaction;"
        "print([name for name in ('re2', 'detect_secrets', 'phonenumbers', 'stdnum') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert said.strip() == "[]"
