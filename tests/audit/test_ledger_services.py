import pytest

from conversations.audit import ledger_services
from conversations.audit.ledger_editing import name_for, promoted, reinstate, retire, save_entry, wrong_with
from conversations.audit.ledger_queries import counts_in, counts_of, ledger_counts
from conversations.audit.ledger_services import check_past, left_behind
from conversations.audit.services import audit_conversation
from conversations.models import Activity, CompactionAudit, LedgerCheck, LedgerEntry
from conversations.vocabulary import SummaryState
from tests.factories import create_compaction, create_conversation, create_message

RULE = "Never write to ledger_v1: the auditors have frozen it until March."
OTHER = "Always answer in German."


def create_entry(workspace, actor, text=RULE, **fields):
    fields = {"name": text[:40], "kind": "prohibition", "anchors": ["ledger_v1"] if text == RULE else [], **fields}
    entry = LedgerEntry(workspace=workspace, text=text, **fields)
    assert list(wrong_with(entry)) == []
    save_entry(entry, actor)
    return entry


def compacted(workspace, *summaries, agent="coder", said=RULE):
    """A conversation in which the rule is told once, and then compacted with each of the summaries."""
    conversation = create_conversation(workspace, agent=agent)
    for number, summary in enumerate(summaries):
        text = said if number == 0 else f"Carrying on with step {number} of the migration."
        before = list(conversation.messages.filter(dropped_by=None))
        create_compaction(conversation, summary, dropped=[*before, create_message(conversation, text)])
    return conversation


def outcomes(conversation):
    rows = LedgerCheck.objects.filter(conversation=conversation).order_by("compaction__number", "entry_id")
    return [row.outcome for row in rows]


@pytest.fixture
def entry(acme, alice):
    return create_entry(acme, alice.user)


def test_audit_checks_the_ledger_first_and_again_changes_nothing(acme, entry):
    conversation = compacted(acme, f"User: {RULE}", "The ledger_v1 table is frozen, never write to it.", "Migrating.",
                             "Still migrating.")  # fmt: skip

    audit_conversation(conversation)
    assert outcomes(conversation) == ["kept", "kept", "forgotten", "not_in_context"]
    before = list(LedgerCheck.objects.order_by("id").values())

    CompactionAudit.objects.update(version="older")
    audit_conversation(conversation)
    again = list(LedgerCheck.objects.order_by("id").values())
    assert [row | {"checked_at": None} for row in again] == [row | {"checked_at": None} for row in before]


def test_check_stores_the_passage_the_reason_and_who_decided(acme, entry):
    audit_conversation(compacted(acme, "We write to ledger_v1 daily, says the user."))

    [check] = LedgerCheck.objects.all()
    assert (check.outcome, check.detail, check.revision, check.entry) == ("altered", "weakened", 1, entry)
    assert check.passage == "We write to ledger_v1 daily, says the user."
    assert check.reason.startswith("The summary names the subject")
    assert check.at == check.compaction.at


@pytest.mark.parametrize(
    ("scope", "checked"),
    [
        ({}, True),
        ({"agent_name": "coder"}, True),
        ({"agent_name": "coder", "agent_version": "1.0"}, True),
        ({"agent_name": "coder", "agent_version": "2.0"}, False),
        ({"agent_name": "support"}, False),
    ],
)
def test_entry_concerns_its_agent_only_now_and_in_the_past(acme, alice, scope, checked):
    before = compacted(acme, "Migrating.")
    entry = create_entry(acme, alice.user, **scope)
    after = compacted(acme, "Migrating.")
    audit_conversation(after)
    check_past(entry.pk, 60)
    assert [bool(outcomes(conversation)) for conversation in (before, after)] == [checked, checked]


def test_retired_entries_and_other_workspaces_are_not_checked(acme, globex, alice, entry):
    retire(entry, alice.user)
    for workspace in (acme, globex):
        audit_conversation(compacted(workspace, "Migrating."))
    assert not LedgerCheck.objects.exists()


def test_failure_is_stored_and_the_audit_goes_on(acme, entry, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(ledger_services, "check_entries", broken)
    conversation = compacted(acme, "Migrating.")
    audit_conversation(conversation)
    assert outcomes(conversation) == ["unverifiable"]
    assert CompactionAudit.objects.get().state == "done"
    assert "ledger_check_failed" in caplog.text


def test_copy_has_no_checks_and_its_follower_knows_the_original(acme, entry):
    original = compacted(acme, f"User: {RULE}")
    audit_conversation(original)
    fork = compacted(acme, f"User: {RULE}", "Migrating.", said="Hello.")
    fork.compactions.filter(number=1).update(copy_of=original.compactions.get())
    audit_conversation(fork)
    assert (outcomes(original), outcomes(fork)) == (["kept"], ["forgotten"])


def test_failed_compaction_has_no_check_and_changes_nothing(acme, entry):
    conversation = compacted(acme, f"User: {RULE}")
    create_compaction(conversation, None, summary_state=SummaryState.FAILED)
    create_compaction(conversation, "Migrating.", dropped=list(conversation.messages.filter(dropped_by=None)))
    audit_conversation(conversation)
    assert outcomes(conversation) == ["kept", "forgotten"]


# --- the past ---------------------------------------------------------------------------------------------------------


def test_new_entry_checks_the_past_newest_conversation_first(acme, alice):
    conversations = [compacted(acme, "Migrating.", "More."), compacted(acme, f"User: {RULE}")]
    entry = create_entry(acme, alice.user)
    assert (entry.past_total, entry.past_done, left_behind()) == (3, 0, [entry.pk])

    more = check_past(entry.pk, -1)
    assert (more, LedgerCheck.objects.count()) == (True, 0)
    assert check_past(entry.pk, 60) is False

    entry.refresh_from_db()
    assert (entry.past_done, entry.claimed_until, left_behind()) == (3, None, [])
    assert entry.past_finished_at
    assert [outcomes(each) for each in conversations] == [["forgotten", "not_in_context"], ["kept"]]
    assert LedgerCheck.objects.order_by("id").first().conversation == conversations[1]


def test_past_is_bounded(acme, alice, monkeypatch):
    monkeypatch.setattr(ledger_services, "MOST_PAST", 1)
    conversations = [compacted(acme, "Migrating.") for _ in range(3)]
    entry = create_entry(acme, alice.user)
    check_past(entry.pk, 60)
    entry.refresh_from_db()
    assert (entry.past_total, entry.past_done) == (1, 1)
    assert [len(outcomes(each)) for each in conversations] == [0, 0, 1]


def test_past_of_one_conversation_is_bounded(acme, alice, monkeypatch):
    monkeypatch.setattr(ledger_services, "MOST_OF_ONE", 2)
    conversation = compacted(acme, *["Migrating."] * 4)
    check_past(create_entry(acme, alice.user).pk, 60)
    assert list(LedgerCheck.objects.values_list("compaction__number", flat=True).order_by("id")) == [3, 4]
    assert outcomes(conversation) == ["not_in_context"] * 2


def test_entry_that_was_retired_while_its_form_was_open_stays_retired(acme, alice, entry):
    retire(LedgerEntry.objects.get(), alice.user)
    entry.text = "Never write to ledger_v1."
    assert save_entry(entry, alice.user) is False
    entry.refresh_from_db()
    assert (entry.is_active, entry.text, entry.revision) == (False, "Never write to ledger_v1.", 2)


def test_two_workers_do_not_check_the_same_past(acme, alice, entry, monkeypatch):
    compacted(acme, "Migrating.")
    create_entry(acme, alice.user, OTHER, kind="preference")
    calls = []
    monkeypatch.setattr(ledger_services, "_check_next", lambda each: calls.append(check_past(each.pk, 60)))
    check_past(entry.pk, 60)
    assert calls == [False]


def test_changed_entry_is_checked_anew_and_a_renamed_one_is_not(acme, alice, entry):
    conversation = compacted(acme, "Migrating ledger_v2. Never write to ledger_v2.")
    check_past(entry.pk, 60)
    assert outcomes(conversation) == ["altered"]

    entry.refresh_from_db()
    entry.name = "frozen table"
    assert save_entry(entry, alice.user) is False
    assert LedgerCheck.objects.count() == 1

    entry.text, entry.anchors = "Never write to ledger_v2.", ["ledger_v2"]
    assert save_entry(entry, alice.user) is True
    entry.refresh_from_db()
    assert (entry.revision, LedgerCheck.objects.count(), left_behind()) == (2, 0, [entry.pk])
    check_past(entry.pk, 60)
    assert outcomes(conversation) == ["kept"]


def test_check_of_an_entry_that_was_changed_meanwhile_is_thrown_away(acme, alice, entry, monkeypatch):
    compacted(acme, "Migrating.")
    check = ledger_services.check_entries

    def changed_meanwhile(*args):
        found = check(*args)
        LedgerEntry.objects.update(revision=5)
        return found

    monkeypatch.setattr(ledger_services, "check_entries", changed_meanwhile)
    check_past(entry.pk, 60)
    assert not LedgerCheck.objects.exists()


def test_retired_entry_keeps_its_checks_and_is_brought_up_to_date_when_it_is_reinstated(acme, alice, entry):
    audit_conversation(compacted(acme, f"User: {RULE}"))
    retire(entry, alice.user)
    later = compacted(acme, "Migrating.")
    audit_conversation(later)
    assert LedgerCheck.objects.count() == 1

    assert reinstate(entry, alice.user) is True
    assert reinstate(entry, alice.user) is False
    check_past(entry.pk, 60)
    assert outcomes(later) == ["forgotten"]
    assert LedgerCheck.objects.count() == 2
    actions = list(Activity.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["ledger.made", "ledger.retired", "ledger.reinstated"]


# --- what is told of them ---------------------------------------------------------------------------------------------


def test_counts_by_entry_with_its_last_loss(acme, alice, entry):
    other = create_entry(acme, alice.user, OTHER, kind="preference")
    conversation = compacted(acme, f"User: {RULE}", "Migrating.", "More.")
    audit_conversation(conversation)

    counts = counts_of(acme.pk, [entry.pk, other.pk])
    lost = conversation.compactions.get(number=2)
    assert (counts[entry.pk].kept, counts[entry.pk].forgotten, counts[entry.pk].not_in_context) == (1, 1, 1)
    assert (counts[entry.pk].last_loss, counts[entry.pk].last_loss_at) == (lost.pk, lost.at)
    assert (counts[other.pk].checked, counts[other.pk].last_loss) == (0, None)
    [told] = acme.conversations.annotate(told=ledger_counts())
    assert counts_in(told.told) == {"kept": 1, "forgotten": 1, "not_in_context": 4}
    assert counts_of(acme.pk, []) == {}


def test_finding_is_promoted_with_its_words_agent_and_place(acme, alice):
    conversation = compacted(acme, "Migrating.")
    audit_conversation(conversation)
    finding = conversation.findings.get(kind="prohibition")
    entry = promoted(finding)
    assert (entry.text, entry.kind, entry.anchors, entry.agent_name) == (RULE, "prohibition", ["ledger_v1"], "coder")
    assert (entry.compaction_id, entry.fact_id) == (finding.compaction_id, finding.fact_id)


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"text": "  "}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"kind": "guess"}, "kind"),
        ({"anchors": ["ledger_v2"]}, "anchors"),
        ({"anchors": [" "]}, "anchors"),
        ({"anchors": ["ledger_v1"] * 13}, "anchors"),
        ({"agent_version": "2"}, "agent_version"),
        ({"agent_name": "x" * 201}, "agent_name"),
        ({"name": "x" * 121}, "name"),
        ({"name": RULE[:40]}, "name"),
    ],
)
def test_entry_that_cannot_be_stored_is_told_where(acme, entry, fields, at):
    about = {"name": "another", "text": RULE, "kind": "prohibition", "anchors": [], **fields}
    assert at in {field for field, _ in wrong_with(LedgerEntry(workspace=acme, **about))}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Never write to ledger_v1", "Never write to ledger_v1"),
        ("Never write to ledger_v1: the auditors have frozen it until the end of the year, and say so in every report",
         "Never write to ledger_v1: the auditors have frozen it until the end of the year"),
        ("No. Invoices that were sent stay as they are (the tax office has copies of them and compares each of them)",
         "No. Invoices that were sent stay as they are"),
        ("Deploy v2.1.4 to the cluster in Frankfurt and to no other one before the people of support have gone home",
         "Deploy v2.1.4 to the cluster in Frankfurt and to no other one before the people …"),
    ],
)  # fmt: skip
def test_name_made_of_the_words_ends_at_a_clause(acme, words, name):
    assert name_for(acme, words) == name
