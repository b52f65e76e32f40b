import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Mark, Review
from conversations.redaction.redactor import Redactor
from conversations.review.data_card import data_card
from conversations.review.evaluation_set import Wanted, evaluation_rows
from conversations.review.redacted_set import Redacted
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_reviewer
from tests.web.audited import create_audit, create_finding

REDACTOR = Redactor(["email"], {"ticket": r"T-\d{4}"}, b"key")
SECRETS = ["ada@example.org", "T-1234"]


@pytest.fixture
def judged(acme):
    """One compaction whose every text holds secrets, with marks before, on, within and after them."""
    conversation = create_conversation(acme, external_id="c-1")
    said = "Write to ada@example.org about T-1234 before noon."
    dropped = create_message(conversation, said, external_id="m-1")
    compaction = create_compaction(conversation, "Wrote to ada@example.org; done.", dropped=[dropped])
    create_finding(compaction, 1, said=dropped, text="Write to ada@example.org about T-12…")
    create_audit(compaction)
    review = Review.objects.create(
        workspace=acme, compaction=compaction, reviewer=create_reviewer(acme, "ada"), overall="minor_loss",
        comment="T-1234 is lost.", submitted_at="2026-11-20T09:00:00Z",
    )  # fmt: skip
    about = {"workspace": acme, "review": review, "compaction": compaction}
    for quote in ("Write to", "ada@example.org", "example.org about", "before noon"):
        start = said.index(quote)
        Mark.objects.create(**about, what="missed", message=dropped, start=start, end=start + len(quote), quote=quote)
    Mark.objects.create(**about, what="invented", start=26, end=30, quote="done")
    return compaction


def test_no_secret_goes_out(acme, judged):
    rows = list(evaluation_rows(acme, Wanted(texts=True, redactor=REDACTOR)))

    told = json.dumps(rows)

    assert [secret for secret in [*SECRETS, "example.org", "T-12"] if secret in told] == []
    assert "[email #" in told


def test_marks_are_on_their_words(acme, judged):
    [row] = evaluation_rows(acme, Wanted(texts=True, redactor=REDACTOR))
    text, email = row["dropped"][0]["blocks"][0]["text"], REDACTOR.placeholder("email", "ada@example.org")

    assert [text[each["start"] : each["end"]] for each in row["missed"]] == [each["quote"] for each in row["missed"]]
    assert [each["quote"] for each in row["missed"]] == ["Write to", email, f"{email} about", "before noon"]
    assert [row["summary"][each["start"] : each["end"]] for each in row["invented"]] == ["done"]


def test_texts_that_nobody_asked_for_stay_here(acme, judged):
    [row] = evaluation_rows(acme, Wanted(redactor=REDACTOR))

    assert row["dropped"] is None
    assert row["missed"][3]["quote"] == "before noon"


def test_data_card_says_whether_it_is_redacted(acme, judged):
    assert "as stored" in data_card(acme, Wanted())
    assert "placeholders" in data_card(acme, Wanted(redactor=REDACTOR))


def test_export_takes_the_parameter(alice, acme, judged):
    answer = alice.get("/api/v1/evaluation-set?format=jsonl&texts=true&redacted=true")

    assert b"ada@example.org" not in b"".join(answer)


@given(
    st.lists(st.sampled_from(["a word", *SECRETS, "\n", "ü "]), max_size=12).map(" ".join),
    st.data(),
)
def test_a_place_outside_of_secrets_holds_the_same_words(text, data):
    redacted = Redacted.of(text, REDACTOR)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cuts = [span for span in REDACTOR.spans(text) if span.start < start < span.end or span.start < end < span.end]

    new_start, new_end = redacted.place(start, end)

    assert 0 <= new_start <= new_end <= len(redacted.text)
    if not cuts:
        assert redacted.text[new_start:new_end] == Redacted.of(text[start:end], REDACTOR).text
