from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.spending.counting import Grown, count_grown
from tests.factories import create_agent, create_compaction, create_conversation, create_request
from tests.spending.rows import spend

PAGE = "/w/acme/savings/"


def counted(conversation):
    """Its sums as digestion would have left them."""
    count_grown([Grown(conversation.workspace_id, conversation.pk, conversation.agent_id, earliest=0)])
    return conversation


def compacted(acme, **fields):
    """Two requests, a compaction that freed 129,900 tokens, and two more requests."""
    conversation = create_conversation(acme, agent="coder", **fields)
    for tokens in (80_000, 150_000):
        create_request(conversation, tokens, model="claude-opus-4-5", cache_read_tokens=0, cache_write_tokens=0)
    create_compaction(conversation)
    for tokens in (20_200, 90_000):
        create_request(conversation, tokens, model="claude-opus-4-5", cache_read_tokens=0, cache_write_tokens=0)
    return counted(conversation)


FREED = 150_000 + 100 - 20_200


# --- of the workspace -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        spend(create_conversation(acme, agent=create_agent(acme, str(number))), input_tokens=500)

    with django_assert_num_queries(6):
        response = alice.get(PAGE, {"days": ""})

    assert len(response.context["agents"]) == rows


def test_page_of_a_period(alice, acme, globex):
    today = timezone.now().date()
    for days, tokens in ((0, 1), (6, 20), (7, 300), (29, 4000), (30, 50_000), (100, 600_000)):
        spend(create_conversation(acme, agent="coder"), day=today - timedelta(days=days), input_tokens=tokens)
    spend(create_conversation(globex, agent="coder"), day=today, input_tokens=10**9)

    found = {days: alice.get(PAGE, {"days": days}).context["savings"].billed for days in ("7", "30", "90", "", "x")}

    assert found == {"7": 21, "30": 4321, "90": 54_321, "": 654_321, "x": 4321}
    assert alice.get(PAGE).context["days"] == "30"


def test_page_says_what_is_not_known(alice, acme):
    spend(create_conversation(acme, agent="coder"), model="gpt-6", input_tokens=1000, uncertain_calls=1,
          unknown_calls=1, compactions=1, unpriced_compactions=1, freed_input_tokens=500)  # fmt: skip

    page = alice.get(PAGE, {"days": ""}).content.decode()

    assert "No price is known for <code>gpt-6</code>" in page
    assert "Of 1 request the source tells no tokens" in page
    assert "1 request followed a compaction around which tokens are not known" in page
    assert "What 1 summary took to write" in page
    assert "≥ 1,500" in page


@pytest.mark.parametrize(
    ("days", "words"), [("", "No request with token counts yet"), ("7", "No request in this time")]
)
def test_page_of_nothing(alice, days, words):
    assert words in alice.get(PAGE, {"days": days}).content.decode()


# --- of one conversation ----------------------------------------------------------------------------------------------


def test_conversation_page_shows_what_was_saved(alice, acme):
    conversation = compacted(acme)

    page = alice.get(conversation.get_absolute_url())

    saved = page.context["saved"]
    assert saved.savings.billed == 340_200
    assert saved.savings.would == 340_200 + 2 * FREED
    assert (saved.peak, saved.would_peak, saved.window) == (150_000, 90_000 + FREED, 200_000)
    text = page.content.decode()
    assert "What compaction saved" in text
    assert "beyond the window of 200,000" in text


def test_conversation_page_without_requests_says_nothing_of_savings(alice, acme):
    assert "What compaction saved" not in alice.get(create_conversation(acme).get_absolute_url()).content.decode()


def test_details_by_compaction_and_requests_beyond_the_window(alice, acme):
    conversation = compacted(acme)
    create_compaction(conversation, summary_state="failed")
    create_compaction(conversation)
    counted(conversation)

    context = alice.get(f"{conversation.get_absolute_url()}savings/").context

    [first, last] = context["steps"]
    assert [each.number for each in first.compactions] == [1]
    assert (first.before, first.after, first.freed, first.certain, first.requests) == (150_100, 20_200, FREED, True, 2)
    assert first.saved == 2 * FREED
    assert (last.before, last.after, last.freed, last.certain, last.requests) == (90_100, None, 0, False, 0)
    assert (context["beyond"].count, context["beyond"].first, context["beyond"].last) == (1, 4, 4)


def test_details_agree_with_the_sums(alice, acme):
    conversation = compacted(acme)
    create_compaction(conversation)
    create_request(conversation, 30_000, output_tokens=None)
    create_compaction(conversation, kind="tool_clear", summary=None)
    create_request(conversation, 10_000)
    counted(conversation)

    context = alice.get(f"{conversation.get_absolute_url()}savings/").context

    assert sum(step.saved for step in context["steps"]) == context["saved"].savings.sums.freed


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({}, 200_000),  # the price table's
        ({"context_window": 180_000}, 180_000),
        ({"context_window": 100_000}, None),  # more was sent: it cannot be right
    ],
)
def test_window_is_the_conversations_own_or_the_price_tables(alice, acme, fields, window):
    conversation = compacted(acme, **fields)

    assert alice.get(conversation.get_absolute_url()).context["saved"].window == window


def test_details_of_an_unknown_window(alice, acme):
    conversation = create_conversation(acme, model_names=["gpt-6"])
    create_request(conversation, 1000, model="gpt-6")
    counted(conversation)

    page = alice.get(f"{conversation.get_absolute_url()}savings/")

    assert page.context["beyond"] is None
    assert "is not known, nor whether every request would have fitted" in page.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_details_ask_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    conversation = compacted(acme)
    for _ in range(rows - 1):
        create_compaction(conversation)
        create_request(conversation, 10_000)

    with django_assert_num_queries(11):
        response = alice.get(f"{conversation.get_absolute_url()}savings/")

    assert len(response.context["steps"]) == rows


# --- on the timeline --------------------------------------------------------------------------------------------------


def figure(alice, conversation, **query):
    return alice.get(f"{conversation.get_absolute_url()}figure.json", query).json()


@pytest.mark.parametrize("show", ["tokens", "cache"])
@pytest.mark.parametrize("by", ["request", "time"])
def test_timeline_has_a_second_line(alice, acme, show, by):
    drawn = figure(alice, compacted(acme), show=show, by=by)

    [line] = [trace for trace in drawn["data"] if trace["name"] == "without compaction"]
    assert line["y"] == [80_000, 150_000, 20_200 + FREED, 90_000 + FREED]
    assert (line["visible"], drawn["layout"]["showlegend"]) == (True, True)


def test_timeline_without_compaction_has_one_line(alice, acme):
    conversation = create_conversation(acme)
    create_request(conversation, 1000)
    create_request(conversation, 500)

    drawn = figure(alice, conversation)

    assert [trace["name"] for trace in drawn["data"]] == ["context tokens"]
    assert not drawn["layout"]["showlegend"]


def test_timeline_keeps_its_teeth(alice, acme):
    """Ten compactions of 100,000 would put the second line a million above; then it waits in the legend."""
    conversation = create_conversation(acme)
    for _ in range(10):
        create_request(conversation, 110_000)
        create_compaction(conversation)
        create_request(conversation, 10_000)

    drawn = figure(alice, conversation)

    [line] = [trace for trace in drawn["data"] if trace["name"] == "without compaction"]
    assert line["visible"] == "legendonly"
