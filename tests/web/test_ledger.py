import pytest

from conversations.models import Activity, LedgerCheck, LedgerEntry
from tests.audit.ledger_rows import RULE, create_check, create_entry
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_queue
from tests.web.audited import create_audit, create_finding
from tests.web.test_highlight import HOSTILE

LEDGER = "/w/acme/ledger/"
NEW = LEDGER + "new/"


def compacted(workspace, *summaries, agent="coder"):
    conversation = create_conversation(workspace, agent=agent)
    for summary in summaries:
        before = [*conversation.messages.filter(dropped_by=None), create_message(conversation, RULE)]
        create_compaction(conversation, summary, dropped=before)
    return conversation


@pytest.fixture
def lost(acme):
    """A compaction that lost the rule."""
    return compacted(acme, "The user migrates the billing service.").compactions.get()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_empty_ledger_says_what_it_is_for(alice, victor):
    assert "Write the first entry" in alice.get(LEDGER).content.decode()
    assert "Reviewers, admins and owners" in victor.get(LEDGER).content.decode()


@pytest.mark.parametrize(
    ("query", "found"), [({}, ["in force"]), ({"show": "retired"}, ["gone"]), ({"show": "all"}, ["gone", "in force"])]
)
def test_list_shows_what_is_in_force_unless_told_otherwise(alice, acme, query, found):
    create_entry(acme, name="in force")
    create_entry(acme, name="gone", retired_at="2026-11-22T00:00Z")
    assert [row.entry.name for row in alice.get(LEDGER, query).context["rows"]] == found


def test_list_tells_counts_and_the_last_loss(alice, acme, lost):
    entry = create_entry(acme)
    create_check(entry, lost)
    create_check(entry, create_compaction(lost.conversation), "kept")

    html = alice.get(LEDGER).content.decode()
    [row] = alice.get(LEDGER).context["rows"]
    assert (row.counts.kept, row.counts.forgotten, row.counts.last_loss) == (1, 1, lost.pk)
    assert f"{lost.get_absolute_url()}#ledger-title" in html
    assert "<code>ledger_v1</code>" in html


def test_list_is_paged_by_key(alice, acme):
    for number in range(53):
        create_entry(acme, name=f"entry {number}")
    first = alice.get(LEDGER).context["page"]
    second = alice.get(LEDGER, {"after": first.next}).context["page"]
    assert (len(first.rows), len(second.rows), second.next) == (50, 3, "")


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, lost, rows, django_assert_num_queries):
    for number in range(rows):
        create_check(create_entry(acme, name=f"entry {number}"), lost)
    with django_assert_num_queries(5):
        alice.get(LEDGER)


# --- one entry --------------------------------------------------------------------------------------------------------


def test_entry_shows_its_life_line_in_every_conversation(alice, acme):
    entry = create_entry(acme)
    lives, dies, never = (compacted(acme, *["So far."] * number) for number in (3, 2, 1))
    told = {lives: ["kept", "altered", "kept"], dies: ["kept", "forgotten"], never: ["not_in_context"]}
    for conversation, outcomes in told.items():
        for compaction, outcome in zip(conversation.compactions.order_by("number"), outcomes, strict=True):
            create_check(entry, compaction, outcome)

    response = alice.get(entry.get_absolute_url(), {"where": "all"})
    lines = {line.conversation: line for line in response.context["lines"]}
    assert response.context["numbers"] == [1, 2, 3]
    assert [[cell.sign for cell in lines[each].cells] for each in told] == [
        ["✓", "≈", "✓"], ["✓", "✕", ""], ["·", "", ""],
    ]  # fmt: skip
    assert [lines[each].fate for each in told] == ["still known", "forgotten at compaction 2", "not in the context"]
    assert [lines[each].kept for each in told] == [2, 1, 0]

    told_lines = alice.get(entry.get_absolute_url()).context["lines"]
    assert {line.conversation for line in told_lines} == {lives, dies}
    create_check(entry, create_compaction(never), "kept")
    only_lost = alice.get(entry.get_absolute_url(), {"where": "lost"}).context["lines"]
    assert {line.conversation for line in only_lost} == {lives, dies}


@pytest.mark.parametrize("rows", [1, 3])
def test_entry_asks_as_much_for_any_number_of_conversations(alice, acme, rows, django_assert_num_queries):
    entry = create_entry(acme)
    for _ in range(rows):
        for compaction in compacted(acme, "So far.", "So far.").compactions.all():
            create_check(entry, compaction)
    with django_assert_num_queries(8):
        alice.get(entry.get_absolute_url())


def test_entry_at_work_says_how_far_it_is_and_asks_again(alice, acme):
    entry = create_entry(acme, past_finished_at=None, past_total=40, past_done=12)
    html = alice.get(entry.get_absolute_url()).content.decode()
    assert "12 of 40" in html
    assert 'hx-trigger="every 5s"' in html


def test_entry_of_an_agent_nobody_knows_says_so(alice, acme):
    html = alice.get(create_entry(acme, agent_name="codr").get_absolute_url()).content.decode()
    assert "There is none of codr. Is the name right?" in html


def test_hostile_words_are_shown_as_text(alice, acme, lost):
    hostile = HOSTILE.replace("\0", "")
    entry = create_entry(acme, hostile[:900], name=hostile[:100])
    create_check(entry, lost, reason=hostile, passage=hostile)
    for page in (LEDGER, entry.get_absolute_url(), entry.get_absolute_url() + "edit/", lost.get_absolute_url()):
        assert "<script>" not in alice.get(page).content.decode().split("<main")[1]


# --- make and change --------------------------------------------------------------------------------------------------


def test_preview_proposes_anchors_and_tells_what_would_have_become_of_it(bob, acme, lost):
    compacted(acme, f"User: {RULE}")
    response = bob.get(NEW, {"text": RULE}, headers={"HX-Request": "true"})
    shown = response.context["shown"]
    assert (shown.kind, shown.words) == ("prohibition", "kept 1, forgotten 1")
    assert [compaction for _, compaction, _ in shown.losses] == [lost]
    assert [(each.words, each.ticked) for each in response.context["form"].options] == [("ledger_v1", True)]
    assert not LedgerEntry.objects.exists()


def test_preview_of_an_agent_without_compactions_says_so(bob, acme, lost):
    html = bob.get(NEW, {"text": RULE, "agent_name": "codr"}).content.decode()
    assert "There is no compaction of this agent. Is the name right?" in html


def test_new_entry_is_stored_and_its_past_is_checked(bob, acme, lost, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = bob.post(NEW, {"text": f"  {RULE}\n", "agent_name": "coder"})
    entry = LedgerEntry.objects.get()
    assert response.url == entry.get_absolute_url()
    assert (entry.name, entry.text, entry.kind) == (RULE, RULE, "prohibition")
    assert (entry.anchors, entry.agent_name, entry.created_by) == (["ledger_v1"], "coder", bob.user)
    assert LedgerCheck.objects.get().outcome == "forgotten"
    assert Activity.objects.get(action="ledger.made").target == RULE


@pytest.mark.parametrize(
    ("sent", "anchors"),
    [
        ({}, ["ledger_v1"]),
        ({"offered": ["ledger_v1"]}, []),
        ({"offered": ["ledger_v1"], "anchor": ["ledger_v1"]}, ["ledger_v1"]),
        ({"offered": ["ledger_v1"], "more": "frozen, auditors"}, ["frozen", "auditors"]),
        ({"offered": ["gone"], "anchor": ["gone"]}, ["ledger_v1"]),
    ],
)
def test_anchors_are_those_ticked_typed_and_never_offered(bob, sent, anchors):
    bob.post(NEW, {"text": RULE, **sent})
    assert LedgerEntry.objects.get().anchors == anchors


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"text": " "}, "text"), ({"text": "x" * 1001}, "text"), ({"more": "ledger_v2"}, "more"),
     ({"agent_version": "2"}, "agent_version"), ({"name": "taken"}, "name"), ({"kind": "guess"}, "kind")],
)  # fmt: skip
def test_form_says_what_is_wrong_and_keeps_what_was_typed(bob, acme, sent, field):
    create_entry(acme, name="taken")
    response = bob.post(NEW, {"text": RULE, "name": "free", **sent})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert "free" in response.content.decode() or "name" in sent


def test_change_checks_anew_only_what_matters(bob, acme, lost, django_capture_on_commit_callbacks):
    entry = create_entry(acme)
    form = {"text": RULE, "name": "frozen table", "kind": "prohibition", "anchor": "ledger_v1", "offered": "ledger_v1"}
    with django_capture_on_commit_callbacks(execute=True):
        bob.post(entry.get_absolute_url() + "edit/", form)
    assert not LedgerCheck.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        bob.post(entry.get_absolute_url() + "edit/", form | {"text": "Never write to ledger_v1."})
    entry.refresh_from_db()
    assert (entry.name, entry.revision, LedgerCheck.objects.count()) == ("frozen table", 2, 1)


def test_entry_is_retired_and_reinstated(bob, acme, lost, django_capture_on_commit_callbacks):
    entry = create_entry(acme)
    bob.post(entry.get_absolute_url() + "retire/")
    assert "retired" in bob.get(entry.get_absolute_url()).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        bob.post(entry.get_absolute_url() + "reinstate/")
    entry.refresh_from_db()
    assert (entry.is_active, entry.retired_by, LedgerCheck.objects.count()) == (True, None, 1)


# --- of a finding -----------------------------------------------------------------------------------------------------


def test_finding_is_promoted(bob, acme, lost):
    finding = create_finding(lost, quote=RULE, text=RULE, kind="prohibition")
    create_audit(lost)
    page = bob.get(lost.get_absolute_url(), {"fact": 1}).content.decode()
    assert f"{NEW}?compaction={lost.pk}&amp;fact={finding.fact_id}" in page

    where = {"compaction": lost.pk, "fact": finding.fact_id}
    form = bob.get(NEW, where).context["form"]
    assert (form["text"].value(), form["agent_name"].value()) == (RULE, "coder")
    bob.post(NEW, {"text": RULE, "agent_name": "coder", **where})
    entry = LedgerEntry.objects.get()
    assert (entry.compaction, entry.fact_id) == (lost, finding.fact_id)


@pytest.mark.parametrize("where", [{"compaction": "9" * 30}, {"fact": "other"}, {"compaction": "x"}])
def test_finding_that_is_not_there_cannot_be_promoted(bob, lost, where):
    create_finding(lost)
    assert bob.get(NEW, {"compaction": lost.pk, "fact": "fact-1", **where}).status_code == 404


def test_who_judges_blindly_sees_neither_checks_nor_promotion(bob, acme, lost):
    create_finding(lost)
    create_audit(lost)
    create_check(create_entry(acme), lost)
    queue = create_queue(acme, blind=True)
    item = queue.items.create(workspace=acme, compaction=lost)
    bob.get(f"/w/acme/review/{queue.pk}/next/")

    page = bob.get(lost.get_absolute_url(), {"queue": queue.pk, "item": item.pk, "fact": 1}).content.decode()
    assert "ledger" not in page.split("<main")[1].replace("ledger_v1", "").lower()
    assert bob.get(NEW, {"compaction": lost.pk, "fact": "fact-1"}).status_code == 403
    assert bob.get(f"/api/v1/compactions/{lost.pk}/ledger").status_code == 403


# --- on other pages ---------------------------------------------------------------------------------------------------


def test_checks_stand_before_the_facts_of_a_compaction_losses_first(alice, acme, lost):
    create_finding(lost)
    create_audit(lost)
    for name, outcome in (("kept one", "kept"), ("lost one", "forgotten"), ("other one", "not_in_context")):
        create_check(create_entry(acme, name=name), lost, outcome)
    html = alice.get(lost.get_absolute_url()).content.decode()
    places = [html.index(words) for words in ('id="ledger-title"', "lost one", "kept one", "other one", "facts-title")]
    assert places == sorted(places)


def test_compaction_without_checks_shows_no_ledger(alice, acme, lost):
    create_check(create_entry(acme, retired_at="2026-11-22T00:00Z"), lost)
    assert "ledger-title" not in alice.get(lost.get_absolute_url()).content.decode()


def test_conversation_tells_the_counts(alice, acme, lost):
    assert "rules and facts that must survive" not in alice.get(lost.conversation.get_absolute_url()).content.decode()
    create_check(create_entry(acme), lost)
    html = alice.get(lost.conversation.get_absolute_url()).content.decode()
    assert "rules and facts that must survive" in html
