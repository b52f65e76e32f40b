"""Words that people mark as missed or invented."""

import re

import pytest

from conversations.models import Mark
from conversations.review.marking import mark_words
from conversations.review.services import open_review
from tests.factories import create_message
from tests.web.reviewing.bars import SUMMARY, page, post, text_of


@pytest.mark.parametrize(
    ("data", "quote"),
    [
        ({"what": "missed", "words": "write to ledger_v1. Ask"}, "write to *ledger_v1*.\nAsk"),
        ({"what": "invented", "words": "Migrate billing"}, "Migrate **billing"),
    ],
)
def test_words_are_marked_where_they_stand(bob, compaction, dropped, data, quote):
    response = post(bob, compaction, "mark", kind="requirement", text="Ask first", **data)

    mark = Mark.objects.get()
    text = SUMMARY if data["what"] == "invented" else "Never write to *ledger_v1*.\nAsk first."
    assert mark.quote == quote == text[mark.start : mark.end]
    assert mark.message == (None if data["what"] == "invented" else dropped[1])
    assert "1 marked" in text_of(response)

    post(bob, compaction, "unmark", mark=mark.pk)
    assert not Mark.objects.exists()


def test_the_message_that_words_were_selected_in_counts(bob, compaction, dropped):
    post(bob, compaction, "mark", what="missed", words="Ask first", message=dropped[2].pk)

    assert Mark.objects.get().message == dropped[2]


@pytest.mark.parametrize(
    "data",
    [
        {"what": "missed", "words": "Nobody said this"},
        {"what": "invented", "words": "Nobody wrote this"},
        {"what": "missed", "words": ""},
        {"what": "missed", "words": "x" * 2001},
        {"what": "other", "words": "Ask first"},
        {"what": "missed", "words": "Ask first", "message": "999999"},
    ],
)
def test_what_cannot_be_marked_says_so_and_is_kept(bob, compaction, data):
    response = post(bob, compaction, "mark", **data)

    assert response.status_code == 422
    assert data["words"] in response.content.decode()
    assert not Mark.objects.exists()


def test_a_message_that_stayed_cannot_miss_anything(bob, compaction, conversation):
    kept = create_message(conversation, "Ask first, again.")

    assert post(bob, compaction, "mark", what="missed", words="Ask first", message=kept.pk).status_code == 422


def test_nobody_removes_anothers_mark(bob, alice, compaction):
    post(bob, compaction, "mark", what="missed", words="Ask first")

    post(alice, compaction, "unmark", mark=Mark.objects.get().pk)

    assert Mark.objects.exists()


def test_own_marks_show_in_the_texts(bob, alice, compaction, dropped):
    mark_words(open_review(compaction=compaction, user=alice.user), what="missed", words="Ask first")
    response = post(bob, compaction, "mark", what="missed", words="Ask first", message=dropped[1].pk)
    post(bob, compaction, "mark", what="invented", words="Goal")

    assert "data-reveals" in response.content.decode()
    html = page(bob, compaction, review=1).content.decode()
    shown = re.findall(r'<mark class="mine"><span class="hidden-word">([^<]*): </span>([^<]*)</mark>', html)
    assert sorted(shown) == [("invented, you marked", "Goal"), ("missed, you marked", "Ask first")]
