"""Audits and findings for tests of pages, with sensible defaults; counts are taken from the findings."""

from conversations.models import Addition, CompactionAudit, Finding, LifeLine


def create_finding(compaction, number=1, **fields):
    """One finding; `said` is the message whose first words it was said in, `near` the words of the summary."""
    said, near = fields.pop("said", None), fields.pop("near", None)
    fields = {
        "fact_id": f"fact-{number}",
        "kind": "prohibition",
        "text": f"Fact number {number}.",
        "quote": "the words",
        "author": "user",
        "state": "open",
        "first": 1,
        "last": 1,
        "importance": 0.7,
        "outcome": "forgotten",
        "probability": 0.05,
        "detector": "presence",
        "reason": "Nothing in the summary says it.",
        "rank": 1 / number,
        "spans": [[said.external_id, 0, 0, 9]] if said else [],
        "harmful": bool(fields.get("evidence")),
        **fields,
    }
    if near:
        start = compaction.summary_message.blocks[0]["text"].index(near)
        fields |= {"summary_start": start, "summary_end": start + len(near)}
    return Finding.objects.create(
        workspace=compaction.workspace,
        conversation=compaction.conversation,
        compaction=compaction,
        number=number,
        **fields,
    )


def create_audit(compaction, **fields):
    """As the auditor would store it with the findings that are there."""
    rows = list(compaction.findings.all())
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in ("kept", "altered", "forgotten")}
    fields = {
        "state": "done",
        "version": "1",
        "facts": len(rows),
        "harmful": sum(row.harmful for row in rows),
        "added": compaction.additions.count(),
        "harm_checkable": True,
        "retention": 0.71,
        "retention_low": 0.64,
        "retention_high": 0.78,
        **counts,
        **fields,
    }
    return CompactionAudit.objects.create(workspace=compaction.workspace, compaction=compaction, **fields)


def create_addition(compaction, words, **fields):
    """A statement of the summary without a source."""
    start = compaction.summary_message.blocks[0]["text"].index(words)
    fields = {
        "fact_id": "added-1",
        "kind": "unseen_value",
        "text": words,
        "summary_start": start,
        "summary_end": start + len(words),
        "probability": 0.8,
        "reason": "It occurs nowhere in what the summary covers.",
        **fields,
    }
    return Addition.objects.create(workspace=compaction.workspace, compaction=compaction, **fields)


def create_life_line(conversation, outcomes, **fields):
    """`outcomes`: at the compactions from `born_before` on."""
    number = LifeLine.objects.count() + 1
    first = fields.get("born_before", 1)
    died = next((first + at for at, outcome in enumerate(outcomes) if outcome != "kept"), None)
    fields = {
        "fact_id": f"fact-{number}",
        "kind": "prohibition",
        "text": f"Life of fact {number}.",
        "born": 1,
        "born_before": first,
        "died_at": died,
        "generations_kept": outcomes.count("kept"),
        "importance": 0.5,
        **fields,
    }
    fields.setdefault(
        "stages",
        [
            {"number": first + at, "outcome": outcome, "detail": "", "fact": fields["fact_id"], "came_back": None,
             "came_back_at": None, "followed": False, "harmful": False}
            for at, outcome in enumerate(outcomes)
        ],
    )  # fmt: skip
    return LifeLine.objects.create(workspace=conversation.workspace, conversation=conversation, **fields)
