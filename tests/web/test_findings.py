import pytest

from tests.factories import create_compaction, create_conversation, create_message
from tests.web.audited import create_addition, create_audit, create_finding, create_life_line
from tests.web.test_highlight import HOSTILE

SUMMARY = "The port is 8443. Ship on Tuesday at the latest. All tests pass."


@pytest.fixture
def conversation(acme):
    return create_conversation(acme, agent="coder")


@pytest.fixture
def said(conversation):
    return create_message(conversation, "Never use eval. The port is 8443.", external_id="said")


@pytest.fixture
def compaction(conversation, said):
    return create_compaction(conversation, SUMMARY, dropped=[said])


def page_of(client, compaction, **query):
    response = client.get(compaction.get_absolute_url(), query)
    return response, response.content.decode()


def numbers(response):
    return [item.row.number for item in response.context["facts"].items]


SIGN = {
    "signal": "user_repeats",
    "text": "The user had to say it again.",
    "messages": ["said"],
    "cost_tokens": 1200,
    "base_rate": 0.5,
}


# --- states of the column -------------------------------------------------------------------------------------------


def test_column_waits_for_the_auditor_and_asks_again(alice, compaction):
    _, page = page_of(alice, compaction)

    assert "Not audited yet" in page
    assert 'hx-trigger="every 5s' in page


def test_column_says_that_the_audit_failed_and_shows_what_was_known_before(alice, compaction):
    create_finding(compaction)
    create_audit(compaction, state="failed", error="The auditor failed on this compaction.")

    response, page = page_of(alice, compaction)

    assert "The audit failed." in page
    assert "from the audit before it" in page
    assert numbers(response) == [1]


@pytest.mark.parametrize(
    ("fields", "summary", "title"),
    [
        ({"summary_state": "encrypted", "kind": "hosted_opaque"}, None, "What was forgotten cannot be told"),
        ({"summary_state": "failed"}, None, "Nothing was replaced"),
        ({"kind": "truncation"}, None, "No summary to audit"),
        ({"kind": "tool_clear"}, None, "No summary to audit"),
        ({"complete": False, "dropped_count": 0}, "Text", "What it covered is not in the data"),
        ({"complete": False, "dropped_count": 0}, None, "There is no summary in the data"),
        ({}, None, "There is no summary in the data"),
    ],
)
def test_column_says_what_is_known_where_nothing_can_be_claimed(alice, conversation, said, fields, summary, title):
    compaction = create_compaction(conversation, summary, dropped=[said], **fields)
    create_audit(compaction, state="unreadable", retention=None, retention_low=None, retention_high=None)

    _, page = page_of(alice, compaction)

    assert f"<h3>{title}</h3>" in page
    assert "Still known:" in page
    assert "of what mattered was kept" not in page


def test_column_gives_an_interval_and_never_a_bare_score(alice, compaction):
    create_finding(compaction)
    create_audit(compaction)

    _, page = page_of(alice, compaction)

    assert "<strong>64–78 %</strong> of what mattered was kept" in page
    assert "71" not in page.split("of what mattered")[0][-40:]


@pytest.mark.parametrize(("checkable", "told"), [(True, False), (False, True)])
def test_column_tells_not_checkable_from_none_found(alice, compaction, checkable, told):
    create_finding(compaction)
    create_audit(compaction, harm_checkable=checkable)

    assert ("Too little followed to tell" in page_of(alice, compaction)[1]) is told


# --- which facts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"outcome": "forgotten"}, [1, 2]),
        ({"outcome": "altered"}, [3]),
        ({"outcome": "kept"}, [4]),
        ({"harm": "1"}, [1]),
        ({"kind": "value"}, [2, 4]),
        ({"kind": "value", "outcome": "kept"}, [4]),
        ({"outcome": "superseded"}, []),
        ({"outcome": "nonsense", "kind": "nonsense"}, [1, 2, 3, 4]),
    ],
)
def test_column_filters_and_stands_worst_first(alice, compaction, query, found):
    create_finding(compaction, 1, evidence=[SIGN])
    create_finding(compaction, 2, kind="value")
    create_finding(compaction, 3, outcome="altered")
    create_finding(compaction, 4, outcome="kept", kind="value")
    create_audit(compaction)

    assert numbers(page_of(alice, compaction, **query)[0]) == found


def test_column_is_paged_by_key(alice, compaction):
    for number in range(1, 61):
        create_finding(compaction, number)
    create_audit(compaction)

    first, _ = page_of(alice, compaction)
    second, _ = page_of(alice, compaction, facts_after=first.context["facts"].page.next)

    assert numbers(first) == list(range(1, 26))
    assert numbers(second) == list(range(26, 51))


@pytest.mark.parametrize("fact", [1, 24, 25, 26, 40, 60])
def test_chosen_fact_is_on_the_page_with_its_neighbours(alice, compaction, fact):
    for number in range(1, 61):
        create_finding(compaction, number)
    create_audit(compaction)

    column = page_of(alice, compaction, fact=fact)[0].context["facts"]

    assert column.chosen.row.number == fact
    assert column.previous == (fact - 1 or None)
    assert column.next == (fact + 1 if fact < 60 else None)


@pytest.mark.parametrize("fact", ["0", "99", "x", "-1", "9" * 30, "1.5", "²"])
def test_unknown_fact_chooses_none(alice, compaction, fact):
    create_finding(compaction)
    create_audit(compaction)

    assert page_of(alice, compaction, fact=fact)[0].context["facts"].chosen is None


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_facts(alice, compaction, said, rows, django_assert_num_queries):
    for number in range(1, rows + 1):
        create_finding(compaction, number, said=said, evidence=[SIGN])
    create_audit(compaction)

    with django_assert_num_queries(12):
        response, _ = page_of(alice, compaction, fact=1)

    assert len(numbers(response)) == rows


# --- marks ----------------------------------------------------------------------------------------------------------


def test_chosen_fact_is_marked_in_all_columns(alice, compaction, said):
    create_finding(compaction, 1, outcome="kept", said=said, near="The port is 8443.")
    create_audit(compaction)

    _, page = page_of(alice, compaction, fact=1)

    assert '<li id="fact-1" class="fact kept chosen">' in page
    mark = '<mark class="kept chosen" data-mark="1"><span class="hidden-word">kept: </span>'
    assert f"{mark}The port is 8443.</mark>" in page  # in the summary
    assert f"{mark}Never use</mark>" in page  # where it was said


def test_nearest_words_of_a_forgotten_fact_are_marked_only_while_it_is_chosen(alice, compaction, said):
    create_finding(compaction, 1, said=said, near="The port is 8443.")
    create_audit(compaction)

    assert 'class="near' not in page_of(alice, compaction)[1]
    assert '<mark class="near chosen" data-mark="1">' in page_of(alice, compaction, fact=1)[1]


def test_added_statement_is_marked_and_listed(alice, compaction):
    row = create_addition(compaction, "All tests pass.")
    create_audit(compaction)

    _, page = page_of(alice, compaction)

    assert f'<mark class="added" data-mark="added-{row.pk}">' in page
    assert f'<li id="added-{row.pk}" class="fact added">' in page


def test_page_of_dropped_messages_with_the_source_is_shown(alice, conversation):
    messages = [create_message(conversation, f"word {number}", external_id=str(number)) for number in range(120)]
    compaction = create_compaction(conversation, SUMMARY, dropped=messages)
    create_finding(compaction, said=messages[90])
    create_audit(compaction)

    chosen, _ = page_of(alice, compaction, fact=1)
    around, _ = page_of(alice, compaction, around=messages[110].pk)
    walked, _ = page_of(alice, compaction, fact=1, after=chosen.context["page"].next)

    assert [card.message.pk for card in chosen.context["dropped"] if card.chosen] == [messages[90].pk]
    assert messages[110].pk in [card.message.pk for card in around.context["dropped"]]
    assert messages[90].pk not in [card.message.pk for card in walked.context["dropped"]]


def test_words_deep_in_a_long_result_are_shown(alice, conversation):
    text = "x" * 50_000 + " the answer is 42 " + "y" * 5_000
    result = {"type": "tool_result", "id": "t", "text": text}
    message = create_message(conversation, role="tool", blocks=[result])
    compaction = create_compaction(conversation, SUMMARY, dropped=[message])
    at = text.index("the answer")
    create_finding(compaction, spans=[[message.external_id, 0, at, at + 16]])
    create_audit(compaction)

    assert "the answer is 42</mark>" in page_of(alice, compaction, fact=1)[1]


# --- why ------------------------------------------------------------------------------------------------------------


def test_chosen_fact_says_why(alice, compaction, said):
    parts = {"importance": {"kind": 0.75}, "rank": {"by user": 0.306, "recent": -0.459}}
    create_finding(compaction, said=said, near="Ship on Tuesday", evidence=[SIGN], parts=parts)
    create_audit(compaction, llm_state="over_day_budget", llm_reason="It begins again at midnight.")

    _, page = page_of(alice, compaction, fact=1)

    for words in [
        "Nothing in the summary says it.",
        "almost certainly not known after it (5%)",
        "Ship on Tuesday",
        "The user had to say it again.",
        "cost 1,200 tokens",
        "0.5 times in 100 messages",
        '<th scope="row">by user</th><td class="number">+0.31</td>',
        "the budget of today is used up. It begins again at midnight.",
        f"?fact=1&amp;around={said.pk}#m{said.pk}",
    ]:
        assert words in page


@pytest.mark.parametrize("field", ["text", "quote", "reason", "detector", "detail"])
def test_hostile_words_of_a_finding_are_escaped(alice, compaction, said, field):
    hostile = HOSTILE.replace("\x00", "")
    create_finding(compaction, said=said, **{field: hostile[:30] if field == "detail" else hostile[:60]})
    create_audit(compaction)

    for url in [compaction.get_absolute_url() + "?fact=1", compaction.get_absolute_url() + "facts/1/"]:
        page = alice.get(url).content.decode()
        assert hostile[:20] not in page
        assert "<script>alert" not in page


def test_hostile_evidence_and_additions_are_escaped(alice, compaction):
    hostile = HOSTILE.replace("\x00", "")
    create_finding(compaction, evidence=[SIGN | {"text": hostile, "messages": [hostile]}])
    create_addition(compaction, "All tests pass.", reason=hostile, kind="unseen_value")
    create_audit(compaction)

    assert "<script>alert" not in page_of(alice, compaction, fact=1)[1]


# --- one fact on its own page -----------------------------------------------------------------------------------------


def test_fact_has_a_page_with_its_life_line(alice, compaction, said):
    create_finding(compaction, 1, said=said, near="The port is 8443.")
    create_audit(compaction)
    create_life_line(compaction.conversation, ["forgotten"], text="The life of it")

    page = alice.get(compaction.get_absolute_url() + "facts/1/").content.decode()

    assert '<mark class="near"><span class="hidden-word">nearest words: </span>The port is 8443.</mark>' in page
    assert "The life of it" in page


def test_fact_page_answers_htmx_with_its_part(alice, compaction):
    create_finding(compaction)
    create_audit(compaction)

    part = alice.get(compaction.get_absolute_url() + "facts/1/", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in part


def test_fact_that_is_not_there_has_no_page(alice, compaction):
    assert alice.get(compaction.get_absolute_url() + "facts/7/").status_code == 404
