"""All the real transcripts imported by one command, against what a second reading of the files counts."""

from collections import defaultdict

import pytest
from django.apps import apps
from django.core.management import call_command

from conversations import tasks
from conversations.models import Batch, BatchChunk, Compaction, Conversation, Message, Request, Workspace
from conversations.vocabulary import CLEARING_KINDS, Origin
from tests.ingest.formats.test_shared_transcripts import CLAUDE, CODEX, TRANSCRIPTS, count_claude, count_codex, lines_of

pytestmark = pytest.mark.skipif(
    not TRANSCRIPTS.is_dir(),
    reason=f"the real transcripts are not at {TRANSCRIPTS}; they are never part of the repository",
)


@pytest.fixture(scope="module")
def imported(django_db_setup, django_db_blocker):
    """One import for all tests of this module; they only read."""
    with django_db_blocker.unblock():
        workspace = Workspace.objects.create(slug="shared", name="Shared")
        folders = [str(TRANSCRIPTS / name) for name in ("claude-code", "codex")]
        files = [str(path) for path in (*CLAUDE, *CODEX) if path.parent.name == "recorded"]
        # To audit all these compactions takes a minute and has tests of its own.
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(tasks.audit_conversation, "delay", lambda *_: None)
        call_command("import", *folders, *files, workspace="shared", processes=1, verbosity=0)
        yield workspace
        monkeypatch.undo()
        workspace.delete()


def rows():
    """Every row of every table that an import writes, batches apart."""
    models = [each for each in apps.get_app_config("conversations").get_models() if each not in (Batch, BatchChunk)]
    return {model.__name__: sorted(map(repr, model.objects.values_list())) for model in models}


def conversation_of(path):
    """The main conversation of a file: that of its own lines, not of its subagents."""
    batch = Batch.objects.get(workspace__slug="shared", name=path.name)
    return Conversation.objects.get(
        workspace__slug="shared", source=batch.format, external_id__in=batch.found["conversations"],
        parent_external_id="",
    )  # fmt: skip


def figures_of(conversation):
    boundaries = Compaction.objects.filter(conversation=conversation).exclude(kind__in=CLEARING_KINDS)
    return boundaries.order_by("number")


def test_every_file_is_digested_and_every_line_understood(imported, db):
    assert imported.batches.count() == len(CLAUDE) + len(CODEX)
    assert set(imported.batches.values_list("state", flat=True)) == {"digested"}
    assert sum(batch.problems.count() for batch in imported.batches.all()) == 0


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem[:22])
def test_rows_of_claude_code_equal_what_the_file_says(imported, db, path):
    counted, conversation = count_claude(path), conversation_of(path)
    found = figures_of(conversation)

    assert list(found.values_list("external_id", "tokens_before_reported")) == counted.boundaries
    contexts = {}
    for request in Request.objects.filter(batch__name=path.name):
        contexts[request.external_id] = request.context_tokens
    assert contexts == counted.contexts
    cleared = set(
        Message.objects.filter(
            conversation=conversation, dropped_by__kind__in=CLEARING_KINDS
        ).values_list("external_id", flat=True)
    )  # fmt: skip
    spoken = set().union(*counted.dropped.values())
    dropped = defaultdict(set)
    for key, boundary in conversation.messages.filter(dropped_by__isnull=False).values_list(
        "external_id", "dropped_by__external_id"
    ):
        dropped[boundary].add(key)
    for boundary in found:
        assert dropped[boundary.external_id] & spoken == counted.dropped[boundary.external_id] - cleared
        assert boundary.dropped_count == len(dropped[boundary.external_id])
    texts = {
        row.external_id: "".join(block["prefix"] + block["text"] + block["suffix"] for block in map(filled, row.blocks))
        for row in conversation.messages.filter(origin=Origin.SUMMARY)
    }
    assert texts == counted.summaries
    assert [row.summary_message.external_id for row in found] == list(counted.summaries)


def filled(block):
    """Fields that have their default are left out where blocks are stored."""
    return {"prefix": "", "suffix": "", **block}


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem[:22])
def test_observed_tokens_are_those_of_the_neighbouring_requests(imported, db, path):
    expected, last, waiting = [], None, False
    for _, record in lines_of(path):
        if record.get("subtype") == "compact_boundary":
            expected.append([last, None])
            last, waiting = None, True
        elif record["type"] == "assistant" and not record.get("isSidechain"):
            usage, model = record["message"]["usage"], record["message"]["model"]
            if model == "<synthetic>":
                continue
            names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
            last = sum(usage[name] for name in names)
            if waiting:
                expected[-1][1], waiting = last, False

    for row, (before, after) in zip(figures_of(conversation_of(path)), expected, strict=True):
        assert row.tokens_after_observed == after
        assert (row.tokens_before_observed is None) == (before is None)
        # The last reply counts, too; some versions do not tell its length.
        assert before is None or 0 <= row.tokens_before_observed - before <= 64_000


@pytest.mark.parametrize("path", CODEX, ids=lambda path: path.stem[:22])
def test_rows_of_codex_equal_what_the_file_says(imported, db, path):
    counted, conversation = count_codex(path), conversation_of(path)
    found = figures_of(conversation)
    contexts = conversation.requests.order_by("position").values_list("context_tokens", flat=True)

    assert [row.external_id for row in found] == [key for key, _ in counted.boundaries]
    assert list(contexts) == list(counted.contexts.values())
    made_here = (Origin.RESTORED, Origin.SUMMARY)
    for row in found:
        gone = row.dropped_messages.exclude(origin__in=made_here).values_list("external_id", flat=True)
        assert set(gone) == counted.dropped[row.external_id]


def test_conversations_add_up(imported, db):
    for conversation in imported.conversations.all():
        assert conversation.message_count == conversation.messages.count()
        assert conversation.request_count == conversation.requests.filter(purpose="turn").count()
        assert conversation.compaction_count == conversation.compactions.count()


def test_second_import_changes_no_row(imported, db, capsys):
    before = rows()

    paths = [str(path) for path in (*CLAUDE, *CODEX)]
    call_command("import", *paths, workspace="shared", processes=1)

    assert rows() == before
    assert f"0 imported, {len(paths)} known" in capsys.readouterr().out
