"""Make, change, retire and reinstate entries of the ledger: what is wrong with one, and what follows from a change."""

import re
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations.audit.anchors import LONGEST_ANCHOR, MOST_ANCHORS, propose, stands_in
from conversations.audit.facts.draft import sentence_of
from conversations.audit.ledger_services import begin_past
from conversations.audit.model import FactKind
from conversations.audit.presence import MAX_FACT
from conversations.errors import Refused
from conversations.models import ApiKey, Finding, LedgerEntry, Rule, User, Workspace
from conversations.people.activity import record_activity

Actor = User | ApiKey
#: What people say of an entry. A change of any but the name has the past checked anew.
FIELDS = ("name", "text", "kind", "anchors", "agent_name", "agent_version")
CHECKED = FIELDS[1:]
LONGEST_NAME = 120
#: A name that is made of the rule's words is cut here.
_NAMED = 80
#: Fewer characters than this name nothing ("No:", "Important.").
_SHORTEST_CLAUSE = 20
_CLAUSE_END = re.compile(r"[.;:,](?=\s)|\s[–—(-](?=\s|\w)")
#: Entries in force: each is a look at every compaction, of some 10 ms.
MOST_ACTIVE = 200
FULL = f"There are {MOST_ACTIVE} entries in force, which is the most. Retire one first."


def wrong_with(entry: LedgerEntry) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) with an entry that is to be stored; nothing, if it can be."""
    words = {name: getattr(entry, name) for name in FIELDS}
    if any("\0" in str(value) for value in words.values()):
        yield "text", "Text cannot hold a zero character."
        return
    yield from _words(entry)
    if entry.kind not in set(FactKind):
        yield "kind", f"There is no such kind of fact. There are: {', '.join(FactKind)}."
    if entry.agent_version and not entry.agent_name:
        yield "agent_version", "A version is of an agent. Name the agent, too."
    yield from ((("anchors", message)) for message in _anchors(entry))
    named = LedgerEntry.objects.filter(workspace=entry.workspace_id, name=entry.name).exclude(pk=entry.pk)
    if entry.name and named.exists():
        yield "name", "There is an entry of this name. Choose another."
    if entry.pk is None and is_full(entry.workspace_id):
        yield "text", FULL


def is_full(workspace_id: int) -> bool:
    """Whether no further entry can be in force."""
    return LedgerEntry.objects.active().filter(workspace=workspace_id).count() >= MOST_ACTIVE


def _words(entry: LedgerEntry) -> Iterator[tuple[str, str]]:
    if not entry.text.strip():
        yield "text", "Say what must survive."
    if len(entry.text) > MAX_FACT:
        yield "text", f"Say it in {MAX_FACT:,} characters at most: it is looked for as one statement."
    if len(entry.name) > LONGEST_NAME:
        yield "name", f"A name has {LONGEST_NAME} characters at most."
    if len(entry.agent_name) > 200 or len(entry.agent_version) > 100:
        yield "agent_name", "No agent has so long a name."


def _anchors(entry: LedgerEntry) -> Iterator[str]:
    """An anchor that is not in the rule could not be kept with it."""
    if len(entry.anchors) > MOST_ANCHORS:
        yield f"Give {MOST_ANCHORS} anchors at most."
    for anchor in entry.anchors:
        if not anchor.strip() or len(anchor) > LONGEST_ANCHOR:
            yield f"An anchor has 1 to {LONGEST_ANCHOR} characters."
        elif not stands_in(anchor, entry.text):
            yield f"“{anchor}” does not stand in the rule. Anchors are words of it."


def _cut(words: str) -> str:
    """The clauses that fit into a name, whole; or the words that fit, where the first clause is too long."""
    clauses = [found.start() for found in _CLAUSE_END.finditer(words) if _SHORTEST_CLAUSE <= found.start() <= _NAMED]
    return words[: clauses[-1]] if clauses else f"{words[:_NAMED].rsplit(' ', 1)[0]} …"


def name_for(workspace: Workspace, text: str) -> str:
    """A name made of the rule's first words that no other entry has."""
    name = text.replace("\0", "").strip().partition("\n")[0]
    name = name if len(name) <= _NAMED else _cut(name)
    taken = set(LedgerEntry.objects.filter(workspace=workspace, name__startswith=name).values_list("name", flat=True))
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def promoted(finding: Finding) -> LedgerEntry:
    """An entry made of a finding, not stored yet: what the agent once knew, in the words it was said in."""
    agent = finding.conversation.agent
    said = sentence_of("", finding.quote)[:MAX_FACT]
    return LedgerEntry(
        workspace_id=finding.workspace_id,
        text=said,
        kind=finding.kind,
        anchors=propose(said),
        agent_name=agent.name if agent else "",
        compaction_id=finding.compaction_id,
        fact_id=finding.fact_id,
    )


def save_entry(entry: LedgerEntry, actor: Actor) -> bool:
    """Store a new or changed entry that nothing is wrong with; alert rules about it follow its name. Returns whether
    its past is to be checked."""
    with transaction.atomic():
        stored = LedgerEntry.objects.select_for_update().filter(pk=entry.pk).first() if entry.pk else None
        changed = [name for name in FIELDS if stored is None or getattr(stored, name) != getattr(entry, name)]
        again = bool(set(CHECKED) & set(changed))
        if stored is not None:
            entry.revision = stored.revision + again
            entry.retired_at, entry.retired_by = stored.retired_at, stored.retired_by  # whatever was done meanwhile
        if stored is not None and stored.name != entry.name:
            Rule.objects.filter(workspace=entry.workspace_id, ledger_entry=stored.name).update(ledger_entry=entry.name)
        if again and entry.is_active:
            begin_past(entry)
        elif changed:
            entry.save(update_fields=[*FIELDS, "revision", "changed_at"])
        if changed:
            _note(entry, actor, "ledger.changed" if stored else "ledger.made", changed=changed if stored else [])
        return again and entry.is_active


def retire(entry: LedgerEntry, actor: Actor) -> None:
    """No compaction is checked against it any more. What was said of it stays."""
    person = actor if isinstance(actor, User) else None
    rows = LedgerEntry.objects.filter(pk=entry.pk, retired_at=None)
    if rows.update(retired_at=timezone.now(), retired_by=person, claimed_until=None, changed_at=timezone.now()):
        _note(entry, actor, "ledger.retired")


def reinstate(entry: LedgerEntry, actor: Actor) -> bool:
    """Compactions are checked against it again, also those that came meanwhile. Returns whether it was retired.

    Raises Refused."""
    with transaction.atomic():
        row = LedgerEntry.objects.select_for_update().get(pk=entry.pk)
        if row.is_active:
            return False
        if is_full(row.workspace_id):
            raise Refused(FULL)
        row.retired_at, row.retired_by, row.revision = None, None, row.revision + 1
        begin_past(row)
        _note(row, actor, "ledger.reinstated")
        return True


def _note(entry: LedgerEntry, actor: Actor, action: str, **detail: Any) -> None:
    record_activity(workspace=entry.workspace, actor=actor, action=action, target=entry, detail=detail)
