import io
import itertools
import json

import pytest

from conversations.ingest import services
from conversations.models import Compaction, Conversation
from tests.ingest.formats.lines import assistant, boundary, summary, user
from tests.ingest.test_digest import compaction

ORIGINAL = [user("u1", "Never push"), assistant("a1", "Fine"), boundary("b1"), summary("s1"), user("u2", "Go on")]
FORK = [boundary("b1"), summary("s1"), user("u3", "Another way"), boundary("b2"), summary("s2")]
WHOLE_FORK = [*ORIGINAL, user("u4", "A third way")]
FILES = [("z-original", ORIGINAL), ("a-fork", FORK), ("b-fork", FORK)]


@pytest.fixture
def upload(acme):
    def upload_session(session, records, workspace=acme):
        body = b"".join(json.dumps({**record, "sessionId": session}).encode() + b"\n" for record in records)
        services.accept_transcript(workspace=workspace, file=io.BytesIO(body))
        services.digest_pending()

    return upload_session


def copies():
    rows = Compaction.objects.order_by("conversation__external_id", "number")
    return list(rows.values_list("conversation__external_id", "external_id", "copy_of__conversation__external_id"))


@pytest.mark.parametrize("order", list(itertools.permutations(FILES)))
def test_boundary_that_forks_begin_with_counts_once_whichever_file_came_first(upload, order):
    for session, records in order:
        upload(session, records)

    assert copies() == [
        ("a-fork", "b1", "z-original"),
        ("a-fork", "b2", None),
        ("b-fork", "b1", "z-original"),
        ("b-fork", "b2", "a-fork"),
        ("z-original", "b1", None),
    ]
    assert sorted(Compaction.objects.originals().values_list("external_id", flat=True)) == ["b1", "b2"]
    assert set(Compaction.objects.filter(external_id="b1", complete=True)) == set(
        Compaction.objects.filter(external_id="b1").originals()
    )


def test_fork_that_copies_everything_counts_once(upload):
    upload("a", ORIGINAL)
    upload("b", WHOLE_FORK)

    assert copies() == [("a", "b1", None), ("b", "b1", "a")]
    assert Conversation.objects.get(external_id="b").compaction_count == 1


def test_copy_in_another_workspace_is_an_original_there(upload, acme, globex):
    upload("a", ORIGINAL)
    upload("b", FORK[:3], workspace=globex)

    assert copies() == [("a", "b1", None), ("b", "b1", None)]


def test_ids_of_our_own_events_belong_to_their_conversation(send):
    send([compaction(1), compaction(1, conversation="other")])

    assert Compaction.objects.originals().count() == 2


def test_copy_outlives_its_original(upload):
    upload("a", ORIGINAL)
    upload("b", FORK[:3])

    Conversation.objects.get(external_id="a").delete()

    assert copies() == [("b", "b1", None)]
