import re

import pytest

from tests.factories import create_compaction, create_conversation
from tests.web.audited import create_audit, create_finding, create_life_line
from tests.web.test_highlight import HOSTILE


@pytest.fixture
def conversation(acme):
    conversation = create_conversation(acme, agent="coder")
    for _ in range(3):
        create_compaction(conversation)
    return conversation


def lines(client, conversation, **query):
    response = client.get(conversation.get_absolute_url() + "facts/", query)
    return response, re.findall(r'class="life-fact">(.*?)<div', response.content.decode(), re.DOTALL)


def test_what_mattered_and_died_stands_first(alice, conversation):
    create_life_line(conversation, ["kept", "kept"], text="lives", importance=0.9)
    create_life_line(conversation, ["forgotten"], text="small", importance=0.2)
    create_life_line(conversation, ["kept", "forgotten"], text="grave", importance=0.8)

    assert lines(alice, conversation)[1] == ["grave", "small", "lives"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"fate": "died"}, ["dead"]),
        ({"fate": "alive"}, ["back", "alive"]),
        ({"fate": "back"}, ["back"]),
        ({"kind": "value"}, ["alive"]),
        ({"fate": "nonsense", "kind": "nonsense"}, ["dead", "back", "alive"]),
    ],
)
def test_filters(alice, conversation, query, found):
    stages = [
        {"number": 1, "outcome": "forgotten", "detail": "", "fact": "", "came_back": None},
        {"number": 2, "outcome": "kept", "detail": "", "fact": "", "came_back": "user said it again"},
    ]
    create_life_line(conversation, ["forgotten"], text="dead")
    create_life_line(conversation, [], text="back", stages=stages, died_at=None, importance=0.4)
    create_life_line(conversation, ["kept"], text="alive", kind="value", importance=0.3)

    assert lines(alice, conversation, **query)[1] == found


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, conversation, rows, django_assert_num_queries):
    for _ in range(rows):
        create_life_line(conversation, ["kept", "forgotten"])

    with django_assert_num_queries(8):
        assert len(lines(alice, conversation)[1]) == rows


def test_cells_say_what_became_of_the_fact_and_lead_to_the_finding(alice, conversation):
    first = conversation.compactions.get(number=1)
    create_finding(first, 4, fact_id="fact-1")
    create_audit(first)
    create_life_line(conversation, ["forgotten"])

    page = lines(alice, conversation)[0].content.decode()

    assert f'<a href="{first.get_absolute_url()}facts/4/" title="forgotten">' in page
    assert '<span class="hidden-word">forgotten</span>' in page


def test_page_goes_on_by_key(alice, conversation):
    for number in range(60):
        create_life_line(conversation, ["kept"], importance=round(number / 60, 3))

    response, first = lines(alice, conversation)
    _, second = lines(alice, conversation, after=response.context["page"].next)

    assert (len(first), len(second)) == (50, 10)
    assert set(first).isdisjoint(second)


@pytest.mark.parametrize(("compactions", "words"), [(0, "Never compacted"), (1, "No life-lines yet")])
def test_empty_page_says_why(alice, acme, compactions, words):
    conversation = create_conversation(acme)
    for _ in range(compactions):
        create_compaction(conversation)

    assert words in lines(alice, conversation)[0].content.decode()


def test_nothing_matched_is_told_from_nothing_there(alice, conversation):
    create_life_line(conversation, ["kept"])

    assert "Nothing matches these filters" in lines(alice, conversation, fate="died")[0].content.decode()


def test_hostile_fact_is_escaped(alice, conversation):
    create_life_line(conversation, ["kept"], text=HOSTILE.replace("\x00", ""))

    assert "<script>alert" not in lines(alice, conversation)[0].content.decode()
