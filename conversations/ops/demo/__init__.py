"""Sample conversations of our own making, so that a newcomer without transcripts sees what the product does."""

from datetime import UTC, datetime
from functools import cache
from importlib import resources

import msgspec
from django.db.models import QuerySet

from conversations.audit import services as audit_services
from conversations.ingest import services
from conversations.models import Batch, Conversation, Workspace
from conversations.ops.demo.script import Script, events_of, read_script

PREFIX = "demo-"


@cache
def scripts() -> tuple[Script, ...]:
    """All of them, by name."""
    files = resources.files(__package__).joinpath("scripts").iterdir()
    texts = {PREFIX + file.name.removesuffix(".txt"): file.read_text() for file in files if file.name.endswith(".txt")}
    return tuple(read_script(name, texts[name]) for name in sorted(texts))


def load_demo(workspace: Workspace) -> list[int]:
    """Load what is not there yet, the way every event comes in, and audit it. Returns the conversations' ids."""
    there = set(_conversations(workspace).values_list("external_id", flat=True))
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for script in scripts():
        if script.name not in there:
            _load(workspace, script, now)
    loaded = list(_conversations(workspace).order_by("external_id"))
    for conversation in loaded:
        audit_services.audit_conversation(conversation, settled=True)
    return [conversation.pk for conversation in loaded]


def _load(workspace: Workspace, script: Script, now: datetime) -> None:
    body = msgspec.json.encode({"events": events_of(script, now)})
    receipt = services.accept_events(workspace=workspace, body=body, claimed=True)
    services.digest_claimed([receipt.batch])


def remove_demo(workspace: Workspace) -> int:
    """Delete the sample conversations and what they were made of. Returns how many there were."""
    names = [script.name for script in scripts()]
    batches = Batch.objects.filter(workspace=workspace, format="events", found__conversations__contained_by=names)
    batches.exclude(found__conversations=[]).delete()
    count = _conversations(workspace).count()
    _conversations(workspace).delete()
    return count


def _conversations(workspace: Workspace) -> QuerySet[Conversation]:
    names = [script.name for script in scripts()]
    return Conversation.objects.filter(workspace=workspace, source="events", external_id__in=names)
