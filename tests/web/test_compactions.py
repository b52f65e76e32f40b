import pytest

from conversations.vocabulary import CompactionKind, SummaryState
from tests.factories import create_compaction, create_conversation, create_message
from tests.web.audited import create_audit
from tests.web.test_highlight import HOSTILE

LIST = "/w/acme/compactions/"


@pytest.fixture
def conversation(acme):
    return create_conversation(acme, agent="coder")


def beside(alice, compaction, name):
    """External ids of what stands beside the summary, once it is opened."""
    opened = alice.get(compaction.get_absolute_url(), {"beside": name})
    return [card.message.external_id for part in opened.context["beside"] for card in part.cards or ()]


def dropped_ids(response):
    return [card.message.external_id for card in response.context["dropped"]]


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        create_audit(create_compaction(create_conversation(acme, agent="coder")))

    with django_assert_num_queries(5):
        response = alice.get(LIST)

    assert len(response.context["page"].rows) == rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"kind": "truncation"}, [3]),
        ({"trigger": "manual"}, [2]),
        ({"state": "encrypted"}, [4]),
        ({"agent": "coder"}, [4, 3, 2, 1]),
        ({"kind": "nonsense"}, [4, 3, 2, 1]),
        ({"conversation": "0"}, []),
        ({"conversation": "x"}, [4, 3, 2, 1]),
    ],
)
def test_list_filters(alice, conversation, query, found):
    create_compaction(conversation)
    create_compaction(conversation, trigger="manual")
    create_compaction(conversation, None, kind="truncation")
    create_compaction(conversation, None, kind="hosted_opaque", summary_state="encrypted")

    rows = alice.get(LIST, {"order": "newest", **query}).context["page"].rows

    assert [row.number for row in rows] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 3, 1]),
        ({"order": "newest"}, [4, 3, 2, 1]),
        ({"found": "harm"}, [3]),
        ({"found": "forgotten"}, [2, 3]),
        ({"found": "unaudited"}, [4]),
        ({"found": "nonsense"}, [2, 3, 1]),
    ],
)
def test_list_stands_worst_first_and_filters_by_what_was_found(alice, conversation, query, found):
    first, second, third, _ = (create_compaction(conversation) for _ in range(4))
    create_audit(first, risk=0.25)
    create_audit(second, risk=5.0625, forgotten=3)
    create_audit(third, risk=2.5, forgotten=1, harmful=1)

    assert [row.number for row in alice.get(LIST, query).context["page"].rows] == found


def test_list_goes_on_where_the_page_ended(alice, acme, conversation):
    for number in range(60):
        create_audit(create_compaction(conversation), risk=round(number / 7, 4) if number % 3 else 1.5)

    first = alice.get(LIST).context["page"]
    second = alice.get(LIST, {"after": first.next}).context["page"]

    assert len(first.rows) == 50
    assert len({row.pk for row in [*first.rows, *second.rows]}) == 60
    assert [row.pk for row in alice.get(LIST, {"before": second.previous}).context["page"].rows] == [
        row.pk for row in first.rows
    ]


def test_list_says_that_nothing_was_audited_yet(alice, conversation):
    create_compaction(conversation)

    assert "<h2>Not audited yet</h2>" in alice.get(LIST).content.decode()


def test_list_says_what_a_compaction_is_when_there_is_none(alice):
    assert "No conversation has been compacted yet" in alice.get(LIST).content.decode()


def test_list_tells_nothing_matched_from_nothing_there(alice, conversation):
    create_audit(create_compaction(conversation))

    assert "Nothing matches these filters" in alice.get(LIST, {"state": "failed"}).content.decode()


# --- one compaction ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, conversation, rows, django_assert_num_queries):
    messages = [create_message(conversation) for _ in range(rows)]
    compaction = create_compaction(conversation, dropped=messages, kept_count=1)
    url = compaction.get_absolute_url()

    with django_assert_num_queries(8):
        response = alice.get(url)

    assert len(response.context["dropped"]) == rows


def test_page_shows_the_summary_beside_what_it_replaced(alice, conversation):
    first, second = (
        create_message(conversation, "Use port 8443.", external_id="a"),
        create_message(conversation, external_id="b"),
    )
    create_message(conversation, "Stay with me.", external_id="kept")
    compaction = create_compaction(conversation, "## Goal\nShip it.", dropped=[first, second], kept_count=1)
    create_message(conversation, "Restored file", origin="restored", external_id="put-back")
    create_message(conversation, external_id="later")

    response = alice.get(compaction.get_absolute_url())

    assert dropped_ids(response) == ["a", "b"]
    assert [(part.name, part.total, part.cards) for part in response.context["beside"]] == [
        ("kept", 1, None),
        ("restored", 1, None),
    ]
    assert beside(alice, compaction, "kept") == ["kept"]
    assert beside(alice, compaction, "restored") == ["put-back"]
    assert '<p class="heading level-2">Goal</p><p>Ship it.</p>' in response.content.decode()


def test_page_shows_an_edited_turn_as_another_branch(alice, conversation):
    for name in ("gone", "kept", "edited", "made-anew"):
        create_message(conversation, name, external_id=name)
    gone = conversation.messages.get(external_id="gone")
    raw = {"abandoned": ["edited", "made-anew", "not-ours"]}
    compaction = create_compaction(conversation, dropped=[gone], kept_count=1, raw=raw)

    parts = alice.get(compaction.get_absolute_url()).context["beside"]

    assert [(part.name, part.total) for part in parts] == [("kept", 1), ("abandoned", 2)]
    assert beside(alice, compaction, "kept") == ["kept"]
    assert beside(alice, compaction, "abandoned") == ["edited", "made-anew"]


def test_page_counts_as_kept_what_a_later_compaction_dropped(alice, conversation):
    message = create_message(conversation, external_id="long-lived")
    first = create_compaction(conversation, kept_count=1)
    create_compaction(conversation, dropped=[message])

    response = alice.get(first.get_absolute_url())

    assert beside(alice, first, "kept") == ["long-lived"]
    assert dropped_ids(response) == []


def test_page_stops_what_was_restored_at_the_next_compaction(alice, conversation):
    first = create_compaction(conversation)
    create_message(conversation, origin="restored", external_id="mine")
    create_compaction(conversation)
    create_message(conversation, origin="restored", external_id="not-mine")

    assert beside(alice, first, "restored") == ["mine"]


def test_page_leads_to_its_neighbours(alice, conversation):
    first, second, third = (create_compaction(conversation) for _ in range(3))

    page = alice.get(second.get_absolute_url()).content.decode()

    assert f'data-key="k" href="{first.get_absolute_url()}"' in page
    assert f'data-key="j" href="{third.get_absolute_url()}"' in page


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"kind": CompactionKind.HOSTED_OPAQUE, "summary_state": SummaryState.ENCRYPTED}, "The summary is encrypted"),
        ({"summary_state": SummaryState.FAILED, "error": "overloaded"}, "This compaction failed"),
        ({"summary_state": SummaryState.ABSENT}, "There is no summary in the data"),
        ({"kind": CompactionKind.TRUNCATION}, "Nothing was written in their place"),
        ({"kind": CompactionKind.TOOL_CLEAR}, "Tool results were cleared"),
        ({"kind": CompactionKind.MICROCOMPACT}, "Tool results were cleared"),
    ],
)
def test_page_says_honestly_why_there_is_no_summary(alice, conversation, fields, title):
    compaction = create_compaction(conversation, None, dropped=[create_message(conversation)], **fields)

    page = alice.get(compaction.get_absolute_url()).content.decode()

    assert f"<h3>{title}</h3>" in page
    assert fields.get("error", "") in page


def test_page_shows_observed_and_reported_tokens(alice, conversation):
    compaction = create_compaction(
        conversation, tokens_before_observed=150_210, tokens_before_reported=176_700, tokens_after_reported=16_970
    )

    page = " ".join(alice.get(compaction.get_absolute_url()).content.decode().split())

    assert "<dd>150,210 <small>reported 176,700</small></dd>" in page
    assert "<dd>16,970 <small>reported</small></dd>" in page


def test_page_says_that_covered_messages_are_missing(alice, conversation):
    compaction = create_compaction(conversation, complete=False)

    page = alice.get(compaction.get_absolute_url()).content.decode()

    assert "What it dropped is not in the data." in page
    assert "Incomplete." in page


@pytest.mark.parametrize(
    ("query", "found", "in_summary"),
    [
        ("8443", ["port", "call"], 1),
        ("LEDGER", ["rule"], 0),
        ("tool_call", [], 0),  # our own word for a block, nobody's text
        ('say "hi"', ["quoted"], 0),
        ("a.b", [], 0),
        ("nothing", [], 0),
        ("naïve", ["accent"], 0),
        ("\\d", [], 0),
        ("line two", ["lines"], 0),
    ],
)
def test_page_finds_in_both(alice, conversation, query, found, in_summary):
    texts = {"port": "The port is 8443.", "rule": "Never write to ledger_v1.", "quoted": 'They say "hi".',
             "accent": "A naïve way", "lines": "line one\nline two", "ab": "axb"}  # fmt: skip
    messages = [create_message(conversation, text, external_id=name) for name, text in texts.items()]
    call = {"type": "tool_call", "id": "x1", "name": "Bash", "input": {"args": [{"command": "curl :8443"}]}}
    messages.append(create_message(conversation, role="assistant", blocks=[call], external_id="call"))
    compaction = create_compaction(conversation, "The server listens on 8443.", dropped=messages)

    response = alice.get(compaction.get_absolute_url(), {"q": query})

    assert dropped_ids(response) == found
    assert response.context["summary"].found == in_summary
    assert response.content.decode().count('<mark class="find">') >= len(found)


@pytest.mark.parametrize("query", ["\x00", "'; DROP TABLE x; --", '"', "\\", "%", "(", HOSTILE, "$[*]", "x" * 5000])
def test_page_bears_any_query(alice, conversation, query):
    compaction = create_compaction(conversation, dropped=[create_message(conversation)])

    response = alice.get(compaction.get_absolute_url(), {"q": query})

    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_page_pages_the_dropped_messages_and_keeps_the_search(alice, conversation):
    messages = [create_message(conversation, f"word {number}", external_id=str(number)) for number in range(120)]
    compaction = create_compaction(conversation, dropped=messages)

    first = alice.get(compaction.get_absolute_url(), {"q": "word"})
    second = alice.get(compaction.get_absolute_url(), {"q": "word", "after": first.context["page"].next})

    assert dropped_ids(first) == [str(number) for number in range(50)]
    assert dropped_ids(second) == [str(number) for number in range(50, 100)]
    assert f"?q=word&amp;after={first.context['page'].next}" in first.content.decode()


@pytest.mark.parametrize(
    ("limit", "value"),
    [("LOOKED_AT_ONCE", 4), ("CHARACTERS_AT_ONCE", 4 * len("hay 0"))],
    ids=["messages", "characters"],
)
def test_page_looks_through_so_many_messages_at_a_time(alice, conversation, monkeypatch, limit, value):
    monkeypatch.setattr(f"conversations.web.dropped.{limit}", value)
    texts = ["hay 0", "hay 1", "hay 2", "hay 3", "hay 4", "needle", "hay 6", "hay 7", "needle", "hay 9"]
    messages = [create_message(conversation, text, external_id=str(number)) for number, text in enumerate(texts)]
    url = create_compaction(conversation, dropped=messages).get_absolute_url()

    first = alice.get(url, {"q": "needle"})
    second = alice.get(url, {"q": "needle", "after": first.context["page"].next})
    third = alice.get(url, {"q": "needle", "after": second.context["page"].next})

    assert "None of the 4 messages looked through says" in first.content.decode()
    assert [dropped_ids(first), dropped_ids(second), dropped_ids(third)] == [[], ["5"], ["8"]]
    assert third.context["page"].next == ""
    said = " ".join(second.content.decode().split())
    assert f"<strong>1</strong> of {second.context['search'].looked} messages looked through, of 10 dropped" in said


def test_page_looks_into_a_message_that_is_larger_than_all_it_looks_through(alice, conversation, monkeypatch):
    monkeypatch.setattr("conversations.web.dropped.CHARACTERS_AT_ONCE", 10)
    message = create_message(conversation, "needle " * 9, external_id="huge")
    url = create_compaction(conversation, dropped=[message, create_message(conversation)]).get_absolute_url()

    assert dropped_ids(alice.get(url, {"q": "needle"})) == ["huge"]


def test_page_escapes_a_hostile_summary(alice, conversation):
    compaction = create_compaction(conversation, f"# {HOSTILE}\n- {HOSTILE}\n```\n{HOSTILE}".replace("\x00", ""))

    page = alice.get(compaction.get_absolute_url()).content.decode()

    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") == 3


def test_page_cuts_an_endless_summary_and_links_the_rest(alice, conversation):
    compaction = create_compaction(conversation, "word " * 40_000)

    page = alice.get(compaction.get_absolute_url()).content.decode()

    assert "80,000 more characters" in page
    assert compaction.summary_message.get_absolute_url() in page


def test_page_gives_htmx_only_both_sides(alice, conversation):
    part = alice.get(create_compaction(conversation).get_absolute_url(), headers={"HX-Request": "true"})

    assert part.content.decode().lstrip().startswith('<div id="sides"')
