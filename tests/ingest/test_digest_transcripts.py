import io
import json
from pathlib import Path

import pytest

from conversations.audit.queries import Stretch
from conversations.ingest import digest, services
from conversations.ingest.formats.claude_branches import Branches
from conversations.models import Batch, Compaction, Conversation, Message, Request
from conversations.vocabulary import abandoned_in


def record(number, text, **fields):
    return {
        "type": "user", "uuid": f"00000000-0000-4000-8000-{number:012d}", "sessionId": "s1", "parentUuid": None,
        "timestamp": "2026-11-20T09:00:00.000Z", "version": "2.1.49", "isSidechain": False,
        "message": {"role": "user", "content": text}, **fields,
    }  # fmt: skip


def answer(number, tokens, output):
    usage = {"input_tokens": tokens, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    content = [{"type": "text", "text": f"answer {number}"}]
    said = {"id": "msg_1", "role": "assistant", "model": "opus", "content": content}
    return record(number, "", type="assistant", message={**said, "usage": {**usage, "output_tokens": output}})


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def upload(acme):
    def upload_file(content):
        receipt = services.accept_transcript(workspace=acme, file=io.BytesIO(content), name="s.jsonl")
        services.digest_pending()
        receipt.batch.refresh_from_db()
        return receipt.batch

    return upload_file


def test_grown_transcript_is_digested_from_where_it_ended(upload):
    content = lines(record(1, "one"), record(2, "two"))
    first = upload(content)

    grown = upload(content + lines(record(3, "three")))

    assert (grown.continues, grown.offset) == (first, len(content))
    assert grown.found["messages"] == 1
    assert list(Message.objects.order_by("position").values_list("position", flat=True)) == [1024, 2048, 3072]


def test_last_line_of_a_response_wins_over_uploads(upload):
    content = lines(record(1, "one"), answer(2, 500, 1))
    upload(content)

    upload(content + lines(answer(3, 500, 77)))

    assert Request.objects.get().output_tokens == 77


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_unfinished_last_line_is_read_with_the_next_upload(upload, cut):
    content = lines(record(1, "one"), record(2, "two"))

    first = upload(content[:-cut])
    second = upload(content)

    assert [problem.code for problem in first.problems.all()] == (["cut_off"] if cut > 1 else [])
    assert not second.problems.exists()
    assert list(Message.objects.order_by("position").values_list("position", flat=True)) == [1024, 2048]


def test_transcript_without_last_newline_goes_on_at_the_right_line(upload):
    upload(lines(record(1, "one"))[:-1])

    upload(lines(record(1, "one"), record(2, "two")))

    assert list(Message.objects.order_by("position").values_list("position", flat=True)) == [1024, 2048]


def test_changed_transcript_is_digested_from_its_beginning(upload):
    upload(lines(record(1, "one"), record(2, "two")))

    other = upload(lines(record(1, "one"), record(3, "three"), record(4, "four")))

    assert (other.continues, other.offset, other.found["messages"]) == (None, 0, 3)
    assert Message.objects.count() == 4


def test_same_transcript_again_is_the_same_batch(upload, snapshot):
    content = lines(record(1, "one"), answer(2, 500, 9))
    first = upload(content)
    before = snapshot()

    assert upload(content) == first
    assert snapshot() == before


def test_broken_line_is_told_with_its_number(upload):
    batch = upload(lines(record(1, "one")) + b"{broken\n" + lines(record(2, "two")))

    assert [(problem.code, problem.line) for problem in batch.problems.all()] == [("bad_json", 2)]
    assert Message.objects.count() == 2


def test_transcript_is_digested_in_groups(upload, monkeypatch, snapshot):
    content = lines(*(record(number, f"text {number}") for number in range(1, 30)))
    monkeypatch.setattr(digest, "GROUP_EVENTS", 4)

    batch = upload(content)

    assert (batch.state, batch.found["messages"], Message.objects.count()) == ("digested", 29, 29)
    assert Conversation.objects.get().message_count == 29


REWOUND = (Path(__file__).parents[1] / "data/rewound/claude_code-2.1.330.jsonl").read_bytes()


def told_of_compactions():
    """What each compaction dropped, what it says was taken back, and its counts."""
    return [
        (
            set(each.dropped_messages.values_list("external_id", flat=True)),
            set(abandoned_in(each.raw)),
            each.dropped_count,
            each.kept_count,
        )
        for each in Compaction.objects.order_by("position")
    ]


def test_what_a_person_took_back_was_neither_dropped_nor_kept(upload):
    upload(REWOUND)

    (dropped, taken_back, dropped_count, kept_count), (partly, taken_back_since, *_) = told_of_compactions()
    first = Compaction.objects.order_by("position")[0]
    before = Message.objects.filter(position__lt=first.position).count()
    assert (len(dropped), len(taken_back)) == (dropped_count, 8)
    assert dropped_count + kept_count + len(taken_back) == before
    assert dropped.isdisjoint(taken_back)
    assert partly.isdisjoint(taken_back_since)
    kept = set(Stretch(first).kept().values_list("external_id", flat=True))
    assert (kept & taken_back, len(kept)) == (set(), kept_count)


@pytest.mark.parametrize("at", [b"Tell me about the port, briefly", b"compact_boundary", b"at length"])
def test_what_was_taken_back_may_have_come_with_an_earlier_upload(upload, acme, at):
    upload(REWOUND)
    whole = told_of_compactions()
    Conversation.objects.all().delete()
    acme.batches.all().delete()

    upload(REWOUND[: REWOUND.rindex(b"\n", 0, REWOUND.index(at)) + 1])
    upload(REWOUND)

    assert told_of_compactions() == whole


def test_a_transcript_digested_before_rewinds_were_read_is_mended_by_digesting_it_again(upload, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(Branches, "abandoned", lambda _branches: [])
        batch = upload(REWOUND)
        told = told_of_compactions()

    services.redigest(Batch.objects.filter(pk=batch.pk))
    services.digest_pending()

    (dropped_then, *_), (dropped, taken_back, *_) = told[0], told_of_compactions()[0]
    assert dropped_then - taken_back == dropped
    assert len(dropped_then & taken_back) == len(taken_back) == 8
