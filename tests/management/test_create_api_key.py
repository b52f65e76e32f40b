from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from conversations.models import ApiKey


def make(capsys, **options):
    call_command("create_api_key", name="laptop", **options)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("scope", "scopes"), [(None, ["ingest", "read"]), (["ingest"], ["ingest"]), (["read", "read"], ["read"])]
)
def test_key_is_printed_once_and_only_its_hash_is_stored(acme, capsys, scope, scopes):
    key = make(capsys, scope=scope)

    row = ApiKey.objects.get()
    assert (row.name, row.scopes, row.workspace, row.expires_at) == ("laptop", scopes, acme, None)
    assert key.startswith(("obs_", row.prefix))
    assert bytes(row.key_hash) == sha256(key.encode()).digest()
    assert all(key not in str(value) for value in vars(row).values())


def test_key_expires_after_the_days_given(acme, capsys):
    make(capsys, expires=30)

    assert abs(ApiKey.objects.get().expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)


def test_workspace_is_asked_for_where_there_are_several(acme, globex, capsys):
    with pytest.raises(CommandError, match=r"--workspace acme \| globex"):
        make(capsys)
    make(capsys, workspace="globex")

    assert ApiKey.objects.get().workspace == globex


@pytest.mark.parametrize(
    ("options", "message"), [({"expires": 0}, "at least 1 day"), ({"workspace": "nobody"}, "no workspace nobody")]
)
def test_what_cannot_be_is_refused(acme, capsys, options, message):
    with pytest.raises(CommandError, match=message):
        make(capsys, **options)
    assert not ApiKey.objects.exists()


def test_first_workspace_is_made_elsewhere(db, capsys):
    with pytest.raises(CommandError, match=r"manage\.py up"):
        make(capsys)
