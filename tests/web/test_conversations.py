import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    START,
    create_agent,
    create_compaction,
    create_conversation,
    create_message,
    create_request,
)
from tests.web.test_highlight import HOSTILE

LIST = "/w/acme/conversations/"


def titles(response):
    return [row.title for row in response.context["page"].rows]


def compacted(acme, **fields):
    """Two messages, a compaction that dropped them, one message after it, and requests on both sides."""
    conversation = create_conversation(acme, agent="coder", **fields)
    dropped = [
        create_message(conversation, "The port is 8443."),
        create_message(conversation, "Noted.", role="assistant"),
    ]
    create_request(conversation, 150_000)
    create_compaction(conversation, "The port is known.", dropped=dropped, tokens_before_observed=150_100)
    create_request(conversation, 20_000)
    create_message(conversation, "Go on.")
    return conversation


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        compacted(acme)

    with django_assert_num_queries(6):
        response = alice.get(LIST)

    assert len(response.context["rows"]) == rows


def test_list_says_that_nothing_came_in_yet(alice):
    assert "Nothing has come in yet" in alice.get(LIST).content.decode()


def test_list_tells_nothing_matched_from_nothing_there(alice, acme):
    create_conversation(acme, title="Refund")

    page = alice.get(LIST, {"q": "invoice"}).content.decode()

    assert "Nothing matches these filters" in page
    assert "Nothing has come in yet" not in page


@pytest.mark.parametrize("query", [{"q": "invoice"}, {"q": "invoice", "agent": "rare"}, {"q": "unheard"}])
def test_list_finds_words_beyond_the_rows_it_looks_at_first(alice, acme, monkeypatch, query):
    monkeypatch.setattr("conversations.search.LOOKED_AT_FIRST", 2)
    last = timezone.now()
    for number in range(60):
        create_conversation(acme, agent="often", title=f"Chat {number}", last_at=last - timedelta(minutes=number))
    for number in range(60):
        title, at = f"Invoice {number}", last - timedelta(days=1, minutes=number)
        create_conversation(acme, agent="rare" if number < 55 else "often", title=title, last_at=at)
    expected = {"invoice": 60, "unheard": 0}[query["q"]] - (5 if "agent" in query else 0)

    first = alice.get(LIST, query)
    second = alice.get(LIST, {**query, "after": first.context["page"].next})
    back = alice.get(LIST, {**query, "before": second.context["page"].previous})

    seen = titles(first) + (titles(second) if expected else [])
    assert seen == [f"Invoice {number}" for number in range(expected)]
    assert titles(back) == titles(first)
    assert first.context["count"] == str(expected)


@pytest.fixture
def three(acme):
    now = timezone.now()
    create_conversation(acme, agent=create_agent(acme, "coder", "2"), title="Migrate billing", source="claude_code",
                        model_names=["claude-opus-5-5"], compaction_count=2, last_at=now)  # fmt: skip
    create_conversation(acme, agent="support", title="Refund order", source="codex", cwd="/srv/shop",
                        last_at=now - timedelta(days=3))  # fmt: skip
    create_conversation(acme, title="Quarterly report", external_id="6113e919-67d3-417b-b525-c63700228d19",
                        last_at=now - timedelta(days=60))  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Migrate billing", "Refund order", "Quarterly report"]),
        ({"q": "mig bill"}, ["Migrate billing"]),
        ({"q": "/SRV/sh"}, ["Refund order"]),
        ({"q": "6113e919"}, ["Quarterly report"]),
        ({"q": "6113e919-67d3-417b-b525-c63700228d19"}, ["Quarterly report"]),
        ({"q": "' & | ! :*"}, ["Migrate billing", "Refund order", "Quarterly report"]),
        ({"q": "o'rder"}, ["Refund order"]),
        ({"q": "nothing"}, []),
        ({"agent": "coder"}, ["Migrate billing"]),
        ({"agent": "nobody"}, ["Migrate billing", "Refund order", "Quarterly report"]),
        ({"source": "codex"}, ["Refund order"]),
        ({"model": "claude-opus-5-5"}, ["Migrate billing"]),
        ({"compacted": "yes"}, ["Migrate billing"]),
        ({"compacted": "no"}, ["Refund order", "Quarterly report"]),
        ({"since": "24h"}, ["Migrate billing"]),
        ({"since": "7d"}, ["Migrate billing", "Refund order"]),
        ({"since": "7d", "compacted": "no"}, ["Refund order"]),
    ],
)
def test_list_filters(alice, three, query, found):
    assert titles(alice.get(LIST, query)) == found


def test_list_offers_to_take_each_filter_away(alice, three):
    page = alice.get(LIST, {"agent": "coder", "since": "7d"}).content.decode()

    assert re.findall(r'class="chip" href="([^"]*)"', page) == ["?since=7d", "?agent=coder"]


def test_list_pages_forth_and_back(alice, acme, monkeypatch):
    monkeypatch.setattr("conversations.web.paging.page_of.__kwdefaults__", {"size": 2})
    for number in range(5):
        create_conversation(acme, title=str(number), last_at=START + timedelta(minutes=number // 2))  # two share a time

    first = alice.get(LIST)
    second = alice.get(LIST, {"after": first.context["page"].next})
    third = alice.get(LIST, {"after": second.context["page"].next})
    back = alice.get(LIST, {"before": third.context["page"].previous})

    assert [titles(page) for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert titles(back) == ["2", "1"]
    assert (first.context["page"].previous, third.context["page"].next) == ("", "")


@pytest.mark.parametrize("cursor", ["x", "1.2.3", "99999999999999999999999999.1", "-1.-1", "1"])
def test_list_bears_a_broken_cursor(alice, three, cursor):
    assert alice.get(LIST, {"after": cursor}).status_code == 200


def test_list_gives_htmx_only_the_results(alice, three):
    part = alice.get(LIST, headers={"HX-Request": "true"})
    back = alice.get(LIST, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert part.content.decode().lstrip().startswith('<div id="results"')
    assert back.content.decode().startswith("<!doctype html>")
    assert "HX-Request" in part.headers["Vary"]
    assert "HX-Request" in alice.get(LIST).headers["Vary"]


def test_list_escapes_hostile_titles(alice, acme):
    create_conversation(acme, title=HOSTILE.replace("\x00", ""), agent=create_agent(acme, "<script>a"))

    page = alice.get(LIST).content.decode()

    assert "<script>alert" not in page
    assert "<script>a" not in page


# --- one conversation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    conversation = compacted(acme)
    for _ in range(rows - 1):
        create_compaction(conversation, dropped=[create_message(conversation)])
    url = conversation.get_absolute_url()

    with django_assert_num_queries(12):
        response = alice.get(url)

    assert len(response.context["compactions"]) == rows


def test_page_puts_compactions_between_the_messages_they_divide(alice, acme):
    conversation = compacted(acme)

    entries = alice.get(conversation.get_absolute_url()).context["entries"]

    kinds = [entry.who if hasattr(entry, "who") else "compaction" for entry in entries]
    assert kinds == ["User", "Assistant", "compaction", "Summary", "User"]


def test_page_says_that_it_starts_mid_way(alice, acme):
    conversation = create_conversation(acme, complete=False, incomplete_reason="The file begins after a resume.")

    page = alice.get(conversation.get_absolute_url()).content.decode()

    assert "Starts mid-way." in page
    assert "The file begins after a resume." in page


def test_page_of_a_conversation_without_anything(alice, acme):
    page = alice.get(create_conversation(acme).get_absolute_url()).content.decode()

    assert "No message of this conversation has arrived." in page
    assert "No model call with token counts" in page
    assert "data-figure" not in page


def test_page_links_delegated_conversations_both_ways(alice, acme):
    parent = create_conversation(acme, external_id="p", title="Parent task")
    child = create_conversation(acme, parent_external_id="p", title="Child task")
    orphan = create_conversation(acme, parent_external_id="missing", title="Orphan")

    assert child.get_absolute_url() in alice.get(parent.get_absolute_url()).content.decode()
    assert parent.get_absolute_url() in alice.get(child.get_absolute_url()).content.decode()
    assert "has not arrived" in alice.get(orphan.get_absolute_url()).content.decode()


def test_conversation_page_of_a_side_call_without_a_title_is_called_by_who_delegated_it(alice, acme):
    parent = create_conversation(acme, external_id="p", title="Parent task")
    child = create_conversation(acme, external_id="f00d-side", parent_external_id="p", title="")
    page = alice.get(child.get_absolute_url()).content.decode()
    assert "<h1>Delegated by Parent task</h1>" in page
    assert '<span class="mono">f00d-side</span>' in page
    above = alice.get(parent.get_absolute_url()).content.decode()
    assert "Without a title</a>" in above
    assert '<span class="muted mono">f00d-side</span>' in above


def shown_messages(response):
    return [entry.message.external_id for entry in response.context["entries"] if hasattr(entry, "message")]


def test_page_walks_all_messages_and_compactions_once(alice, acme):
    conversation = create_conversation(acme)
    for number in range(100):
        if number % 30 == 20:
            create_compaction(conversation, None)
        create_message(conversation, external_id=f"m{number}")
    url, seen, boundaries = conversation.get_absolute_url(), [], []

    response = alice.get(url)
    while True:
        seen += shown_messages(response)
        boundaries += [entry.number for entry in response.context["entries"] if not hasattr(entry, "message")]
        if not response.context["page"].next:
            break
        response = alice.get(url, {"after": response.context["page"].next})

    assert seen == [f"m{number}" for number in range(100)]
    assert boundaries == [1, 2, 3]


def test_page_opens_around_a_message(alice, acme):
    conversation = create_conversation(acme)
    messages = [create_message(conversation, external_id=f"m{number}") for number in range(100)]

    response = alice.get(conversation.get_absolute_url(), {"around": messages[60].pk})

    assert shown_messages(response) == [f"m{number}" for number in range(50, 90)]
    assert f'class="message user spoken current" id="m{messages[60].pk}"' in response.content.decode()


@pytest.mark.parametrize("around", ["0", "-1", "x", "99999999999999999999", "²"])
def test_page_bears_a_message_that_is_not_there(alice, acme, around):
    conversation = compacted(acme)

    assert len(shown_messages(alice.get(conversation.get_absolute_url(), {"around": around}))) == 4


def test_page_leaves_huge_messages_to_their_own_page(alice, acme):
    conversation = create_conversation(acme)
    message = create_message(conversation, "x" * 70_000, excerpt="x" * 600)

    page = alice.get(conversation.get_absolute_url()).content.decode()

    assert "x" * 600 in page
    assert "x" * 601 not in page
    assert message.get_absolute_url() in page


def test_page_folds_tool_results_and_names_their_tool(alice, acme):
    conversation = create_conversation(acme)
    create_message(
        conversation,
        role="assistant",
        blocks=[{"type": "tool_call", "id": "t", "name": "Bash", "input": {"command": "ls"}}],
    )
    create_message(
        conversation, role="tool", blocks=[{"type": "tool_result", "id": "t", "text": "a\nb", "is_error": True}]
    )

    page = alice.get(conversation.get_absolute_url()).content.decode()

    assert page.count('<details class="fold"') == 2
    assert "Bash result" in page
    assert "error" in page


def test_page_escapes_hostile_messages(alice, acme):
    conversation = create_conversation(acme)
    text = HOSTILE.replace("\x00", "")
    for kind in ({"type": "text", "text": text}, {"type": "thinking", "text": text}, {"type": "summary", "text": text},
                 {"type": "tool_call", "name": text, "input": {"command": text}},
                 {"type": "image", "media_type": text}):  # fmt: skip
        create_message(conversation, role="assistant", blocks=[kind])

    page = alice.get(conversation.get_absolute_url()).content.decode()

    assert "<script>alert" not in page
    assert "\u202e" not in page


# --- its figure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_figure_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    conversation = create_conversation(acme)
    for _ in range(rows):
        create_request(conversation)
        create_compaction(conversation)
    url = f"{conversation.get_absolute_url()}figure.json"

    with django_assert_num_queries(7):
        figure = alice.get(url).json()

    assert len(figure["data"][0]["x"]) == rows


def test_figure_leaves_out_calls_that_are_no_turns(alice, acme):
    conversation = create_conversation(acme)
    create_request(conversation, 1000)
    create_request(conversation, 9000, purpose="compaction")
    create_request(conversation, 2000)

    figure = alice.get(f"{conversation.get_absolute_url()}figure.json").json()

    assert figure["data"][0]["y"] == [1000, 2000]


def test_figure_links_each_compaction(alice, acme):
    conversation = compacted(acme)

    marks = alice.get(f"{conversation.get_absolute_url()}figure.json").json()["data"][-1]

    assert (marks["x"], marks["y"]) == ([1.5], [150_100])
    assert marks["customdata"] == [conversation.compactions.get().get_absolute_url()]


@pytest.mark.parametrize(
    "query", [{"from": "x", "to": "1"}, {"from": "nan", "to": "inf"}, {"by": "nonsense"}, {"show": "cache"}]
)
def test_figure_bears_any_query(alice, acme, query):
    assert alice.get(f"{compacted(acme).get_absolute_url()}figure.json", query).status_code == 200


@pytest.mark.parametrize(
    "query", [{}, {"q": "mig"}, {"agent": "coder", "compacted": "yes"}, {"since": "7d", "compacted": "no"}]
)
def test_list_exports_the_rows_it_shows(alice, three, query):
    response = alice.get(LIST, query)
    address = re.search(r'href="(/api/v1/conversations[^"]*)"', response.content.decode())[1].replace("&amp;", "&")

    exported = b"".join(alice.get(address)).decode()

    assert [title for title in ("Migrate billing", "Refund order", "Quarterly report") if title in exported] == titles(
        response
    )
