import io
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from conversations.models import Mark, Review, Verdict
from conversations.review.data_card import data_card
from conversations.review.evaluation_set import Wanted, evaluation_rows
from conversations.review.parquet import COLUMNS, parquet
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_reviewer
from tests.web.audited import create_audit, create_finding

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def judged(acme):
    """One compaction with a finding, a verdict, a missed fact, and a review; and one that nobody judged."""
    conversation = create_conversation(acme, agent="coder", external_id="c-1")
    dropped = create_message(conversation, "Never write to ledger_v1.", external_id="m-1")
    compaction = create_compaction(conversation, "Ship it.", dropped=[dropped], external_id="k-1")
    finding = create_finding(compaction, 1, said=dropped)
    create_audit(compaction)
    create_compaction(conversation)
    review = Review.objects.create(
        workspace=acme, compaction=compaction, reviewer=create_reviewer(acme, "ada"), overall="harmful_loss",
        criteria={"completeness": 1}, comment="Bad.", submitted_at=AT,
    )  # fmt: skip
    about = {"workspace": acme, "review": review, "compaction": compaction}
    Verdict.objects.create(
        **about, fact_id=finding.fact_id, answer="agree", text="as it was", kind="rule", outcome="forgotten", number=1,
        detector="words", auditor_version="3", probability=0.1,
    )  # fmt: skip
    Mark.objects.create(**about, what="missed", message=dropped, start=0, end=5, quote="Never", text="", kind="rule")
    Mark.objects.create(**about, what="invented", start=0, end=4, quote="Ship")
    return compaction


def rows(acme, **wanted):
    return list(evaluation_rows(acme, Wanted(**wanted)))


def test_a_row_holds_summary_facts_and_labels(acme, judged):
    [row] = rows(acme)

    assert set(row) == set(COLUMNS)
    assert (row["conversation"], row["compaction"], row["agent"], row["summary"]) == ("c-1", "k-1", "coder", "Ship it.")
    [fact], [label], [missed], [invented], [review] = (
        row[name] for name in ("facts", "labels", "missed", "invented", "reviews")
    )
    assert (label["fact"], label["answer"], label["text"], label["reviewer"]) == (
        fact["id"],
        "agree",
        "as it was",
        "reviewer-1",
    )
    assert (missed["message"], missed["quote"], missed["end"]) == ("m-1", "Never", 5)
    assert (invented["message"], invented["quote"]) == (None, "Ship")
    assert (review["overall"], review["criteria"]) == ("harmful_loss", [{"key": "completeness", "value": 1}])
    assert row["dropped"] is None


def test_texts_and_names_come_when_they_are_asked_for(acme, judged):
    [row] = rows(acme, texts=True, names=True)

    assert row["dropped"] == [
        {
            "message": "m-1",
            "role": "user",
            "origin": "spoken",
            "blocks": [{"block": 0, "text": "Never write to ledger_v1."}],
        }
    ]
    assert row["labels"][0]["reviewer"] == "Ada"


def test_drafts_and_older_reviews_stay_here(acme, judged):
    assert rows(acme, since=AT + timedelta(days=1)) == []

    Review.objects.update(submitted_at=None)

    assert rows(acme) == []


def test_nothing_of_another_workspace_goes_out(globex, judged):
    assert rows(globex) == []


@pytest.mark.parametrize("texts", [False, True])
def test_parquet_says_the_same_as_json_lines(acme, judged, texts):
    file = b"".join(parquet(evaluation_rows(acme, Wanted(texts=texts))))

    assert pq.read_table(io.BytesIO(file)).to_pylist() == rows(acme, texts=texts)


def test_an_empty_set_is_a_file_with_its_columns(acme):
    table = pq.read_table(io.BytesIO(b"".join(parquet(evaluation_rows(acme, Wanted())))))

    assert (table.num_rows, table.column_names) == (0, list(COLUMNS))


def test_card_counts_what_is_in_it(acme, judged):
    card = data_card(acme, Wanted())

    assert "1 compactions, 1 reviews (0 of them by labellers elsewhere), 1 verdicts" in card
    assert "Overall verdict: judged by nobody twice" in card


def test_many_compactions_take_as_many_queries_as_one(acme, judged, django_assert_max_num_queries):
    for number in range(3):
        compaction = create_compaction(judged.conversation)
        who = create_reviewer(acme, f"more-{number}")
        Review.objects.create(workspace=acme, compaction=compaction, reviewer=who, submitted_at=AT)

    with django_assert_max_num_queries(8):
        assert len(rows(acme)) == 4
