"""Who judges blindly is sent nothing of what was found."""

import re

import pytest
from django.urls import reverse

from conversations.review.places import claim_next
from tests.web.audited import create_addition
from tests.web.reviewing.bars import PART, at, page, post, query_of, whole

SECRETS = ("forgotten", "altered", "Reason", "known after it", "64–78", "signal", "of what mattered", "superseded")


@pytest.mark.parametrize("headers", [{}, PART])
@pytest.mark.parametrize("fact", ["", 3])
def test_blind_reviewers_are_sent_nothing_of_what_was_found(bob, blind, headers, fact):
    create_addition(blind.compaction, "the port is 8443")

    response = bob.get(blind.compaction.get_absolute_url(), at(blind) | {"fact": fact}, headers=headers)

    html = response.content.decode()
    assert [word for word in SECRETS if word in html] == []
    assert 'class="added"' not in html
    assert "<mark" not in re.sub('<mark class="near chosen"[^>]*>', "", html)
    assert [f"Fact number {n}." in html for n in (1, 2, 3)] == [True] * 3


def test_blind_facts_stand_in_the_order_they_were_said(bob, blind):
    html = page(bob, blind.compaction, **at(blind)).content.decode()

    # ranks 1, 2 and 3 were said last, second and first
    assert re.findall(r"Fact number (\d)", html) == ["3", "2", "1"]
    assert re.findall(r'id="fact-(\d)"', html) == ["1", "2", "3"]


def test_a_finding_is_told_once_it_is_judged(bob, blind):
    number_of_the_worst = 3

    response = post(
        bob, blind.compaction, "verdict", query_of(blind, fact=number_of_the_worst), fact="fact-1", answer="agree"
    )
    assert "data-reveals" in response.content.decode()
    html = page(bob, blind.compaction, **at(blind), fact=number_of_the_worst).content.decode()

    assert "Reason forgotten." in html
    assert "Reason altered." not in html
    assert "altered" not in html
    response = post(bob, blind.compaction, "undo", query_of(blind))
    assert f'data-undone="{number_of_the_worst}"' in response.content.decode()
    assert "Reason" not in page(bob, blind.compaction, **at(blind), fact=3).content.decode()


def test_other_addresses_do_not_lift_the_veil(bob, queue, blind):
    claim_next(queue, bob.user)

    assert "forgotten" not in page(bob, blind.compaction).content.decode()
    finding = bob.get(reverse("finding", args=["acme", blind.compaction.pk, 1]))
    assert finding.url.startswith(blind.compaction.get_absolute_url())
    answer = bob.get(reverse("api_findings", args=[blind.compaction.pk]), {"workspace": "acme"})
    assert answer.status_code == 403
    assert "forgotten" not in answer.content.decode()


def test_the_veil_lifts_when_the_review_is_handed_in(bob, alice, blind):
    post(bob, blind.compaction, "save", query_of(blind), **whole(then="submit"))

    assert "Reason forgotten." in page(bob, blind.compaction, **at(blind), fact=1).content.decode()
    assert "Reason forgotten." in page(alice, blind.compaction, fact=1).content.decode()
