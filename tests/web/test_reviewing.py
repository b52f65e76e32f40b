"""The verdict bar: what it shows, what it saves, what it hides, and that nothing typed is lost."""

import re

import pytest
from django.urls import reverse

from conversations.models import Mark, Review, Verdict
from tests.factories import create_compaction, create_conversation, create_message
from tests.web.audited import create_addition, create_audit, create_finding

PART = {"HX-Request": "true"}
SUMMARY = "# Goal\n\nMigrate **billing**; the port is 8443.\n"


@pytest.fixture
def conversation(acme):
    return create_conversation(acme, title="Migrate billing")


@pytest.fixture
def dropped(conversation):
    return [create_message(conversation, f"Never write to *ledger_v{n}*.\nAsk first.") for n in range(3)]


@pytest.fixture
def compaction(conversation, dropped):
    row = create_compaction(conversation, SUMMARY, dropped=dropped)
    for number, outcome in enumerate(["forgotten", "altered", "kept"], 1):
        create_finding(row, number, said=dropped[3 - number], near="the port is 8443", outcome=outcome,
                       first=dropped[3 - number].position, reason=f"Reason {outcome}.")  # fmt: skip
    create_audit(row)
    return row


def page(member, compaction, **params):
    response = member.get(compaction.get_absolute_url(), params)
    assert response.status_code == 200
    return response


def post(member, compaction, action, query="review=1", headers=PART, **data):
    url = reverse(f"review_{action}", args=["acme", compaction.pk])
    return member.post(f"{url}?{query}", data, headers=headers)


def text_of(response):
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


# --- who sees it


def test_bar_waits_in_one_line_until_it_is_wanted(bob, compaction):
    response = page(bob, compaction)

    assert 'data-key="r"' in response.content.decode()
    assert 'name="answer"' not in response.content.decode()
    assert 'data-key="c" href' in response.content.decode()


def test_bar_offers_answers_to_the_chosen_fact_with_their_keys(bob, compaction):
    html = page(bob, compaction, review=1, fact=2).content.decode()

    for answer, key in {"agree": "1", "not_lost": "2", "does_not_matter": "3", "wrong_fact": "0"}.items():
        assert re.search(rf'<button name="answer" value="{answer}" data-key="{key}"', html)
    assert "0 of 3 judged" in html
    assert html.count('data-key="c"') == 1


def test_viewers_have_no_bar(victor, compaction):
    html = page(victor, compaction, review=1).content.decode()

    assert "review-bar" not in html
    assert "review.js" not in html


# --- verdicts


@pytest.mark.parametrize("answer", ["agree", "not_lost", "does_not_matter", "wrong_fact"])
def test_verdict_is_saved_at_once_and_answered_with_the_bar(bob, compaction, answer):
    response = post(bob, compaction, "verdict", "review=1&fact=2", fact="fact-2", answer=answer)

    verdict = Verdict.objects.get()
    assert (verdict.answer, verdict.fact_id, verdict.number, verdict.outcome) == (answer, "fact-2", 2, "altered")
    assert verdict.review.reviewer == bob.user
    assert "1 of 3 judged" in text_of(response)
    assert f'value="{answer}"' in re.search(r'<button[^>]*aria-pressed="true"', response.content.decode())[0]
    assert 'id="said-fact-2"' in response.content.decode()
