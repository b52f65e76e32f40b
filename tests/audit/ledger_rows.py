"""Entries of the ledger and checks for tests, with sensible defaults."""

from django.utils import timezone

from conversations.models import LedgerCheck, LedgerEntry

RULE = "Never write to ledger_v1: the auditors have frozen it until March."


def create_entry(workspace, text=RULE, **fields):
    """An entry whose past has been checked."""
    fields = {
        "name": text[:60].strip(),
        "kind": "prohibition",
        "anchors": ["ledger_v1"] if "ledger_v1" in text else [],
        "past_finished_at": timezone.now(),
        **fields,
    }
    return LedgerEntry.objects.create(workspace=workspace, text=text, **fields)


def create_check(entry, compaction, outcome="forgotten", **fields):
    fields = {
        "at": compaction.at,
        "reason": "Nothing in the summary mentions it.",
        "probability": 0.05,
        "detector": "presence",
        "version": "1",
        "revision": entry.revision,
        **fields,
    }
    return LedgerCheck.objects.create(
        workspace=entry.workspace, entry=entry, conversation=compaction.conversation, compaction=compaction,
        outcome=outcome, **fields,
    )  # fmt: skip
