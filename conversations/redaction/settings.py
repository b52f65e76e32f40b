"""The redactor of a workspace, as its people have set it; asked for only where redaction is on. And setting it."""

import secrets
from collections.abc import Iterable
from functools import lru_cache

from conversations.errors import Unavailable
from conversations.models import RedactionPattern, RedactionSettings, User, Workspace
from conversations.people.activity import record_activity
from conversations.people.sealing import seal, unseal
from conversations.redaction.detectors import DEFAULTS
from conversations.redaction.redactor import KeepingRedactor, Redactor, fingerprint_of
from conversations.vocabulary import Redaction

_KEPT = 64  # redactors in one process; one takes some 100 kB


def redactor_at_ingest(workspace: Workspace) -> Redactor | None:
    """Whatever is to be stored goes through it; None where nothing is redacted, without a query. With redaction at
    display it is a KeepingRedactor: what it takes is to be kept, see `hidden.keep`.

    Raises Unavailable when its key was sealed with a secret key that the server does not have any more."""
    if workspace.redaction == Redaction.OFF:
        return None
    redactor = redactor_of(workspace)
    return KeepingRedactor(redactor) if workspace.redaction == Redaction.DISPLAY else redactor


def redactor_of(workspace: Workspace) -> Redactor:
    """By the settings as they are now."""
    chosen = settings_of(workspace)
    patterns = RedactionPattern.objects.filter(workspace=workspace).order_by("name").values_list("name", "expression")
    return _redactor(tuple(chosen.detectors), tuple(patterns), chosen.sealed_key)


def is_known_redacted(workspace_id: int, content: bytes, known_as: bytes) -> bool:
    """Whether what is known as that is this content, redacted when it came: also after redaction was turned off.

    Raises Unavailable."""
    rows = RedactionSettings.objects.filter(workspace=workspace_id).values_list("sealed_key", flat=True)
    return any(fingerprint_of(content, _key_of(sealed_key)) == known_as for sealed_key in rows)


def settings_of(workspace: Workspace) -> RedactionSettings:
    """As they are stored; made with the default detectors and a new key where there are none."""
    made = {"detectors": list(DEFAULTS), "sealed_key": seal(secrets.token_hex(32))}
    found, _ = RedactionSettings.objects.get_or_create(workspace=workspace, defaults=made)
    return found


def detectors_of(workspace: Workspace) -> list[str]:
    """Names of those chosen; the default ones where nobody has chosen yet."""
    rows = RedactionSettings.objects.filter(workspace=workspace).values_list("detectors", flat=True)
    return next(iter(rows), list(DEFAULTS))


def redactor_with(workspace: Workspace, name: str, expression: str) -> Redactor:
    """The workspace's, with one pattern more, for trying it out. Its placeholders are of no use for guessing what a
    stored one stands for. Raises BadExpression."""
    chosen = settings_of(workspace)
    patterns = dict(workspace.redaction_patterns.values_list("name", "expression"))
    if expression:
        patterns[name] = expression
    return Redactor(chosen.detectors, patterns, secrets.token_bytes(32))


# --- setting it -------------------------------------------------------------------------------------------------------


def change(workspace: Workspace, *, mode: Redaction, detectors: Iterable[str], by: User) -> None:
    """From now on."""
    chosen, wanted = settings_of(workspace), list(detectors)
    detail = {
        "mode": str(mode),
        "added": sorted(set(wanted) - set(chosen.detectors)),
        "removed": sorted(set(chosen.detectors) - set(wanted)),
    }
    chosen.detectors = wanted
    chosen.save(update_fields=["detectors", "changed_at"])
    workspace.redaction = mode
    workspace.save(update_fields=["redaction"])
    record_activity(workspace=workspace, actor=by, action="redaction.changed", target=workspace, detail=detail)


def add_pattern(workspace: Workspace, *, name: str, expression: str, by: User) -> RedactionPattern:
    """From now on. The expression was checked by whoever took it."""
    pattern = RedactionPattern.objects.create(workspace=workspace, name=name, expression=expression, created_by=by)
    record_activity(workspace=workspace, actor=by, action="redaction.pattern_added", target=pattern)
    return pattern


def delete_pattern(pattern: RedactionPattern, by: User) -> None:
    """What it took out stays out."""
    record_activity(workspace=pattern.workspace, actor=by, action="redaction.pattern_deleted", target=pattern)
    pattern.delete()


# --- one redactor for many texts --------------------------------------------------------------------------------------


@lru_cache(maxsize=_KEPT)
def _redactor(detectors: tuple[str, ...], patterns: tuple[tuple[str, str], ...], sealed_key: str) -> Redactor:
    return Redactor(detectors, dict(patterns), _key_of(sealed_key))


def _key_of(sealed_key: str) -> bytes:
    try:
        return bytes.fromhex(unseal(sealed_key))
    except Unavailable:
        raise Unavailable(
            "Nothing can be redacted: the key of its hashes was encrypted with another secret key.",
            mend="Name the old key in OBSERVATORY_SECRET_KEY_FALLBACKS, then run `manage.py reseal`.",
        ) from None
