import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.facts.units import LONGEST, Form, plain, prose


def said(text):
    return [text[unit.start : unit.end] for unit in prose(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One short paragraph of words.", ["One short paragraph of words."]),
        ("# Title\n\nBelow the title stands this.", ["Below the title stands this."]),
        ("- first item here\n- second item here", ["- first item here", "- second item here"]),
        (
            "1. first item here\n   which goes on\n2. second one",
            ["1. first item here\n   which goes on", "2. second one"],
        ),
        ("| Name | Meaning |\n|---|---|\n| L2 | not zeroed |", ["| L2 | not zeroed |"]),
        ("", []),
        ("tiny", []),
    ],
)
def test_prose_cuts_into_statements(text, expected):
    assert said(text) == expected


def test_prose_splits_a_long_paragraph_at_its_sentences():
    text = " ".join(f"Sentence number {n} says something that takes a good many characters to say." for n in range(8))
    assert said(text) == [
        f"Sentence number {n} says something that takes a good many characters to say." for n in range(8)
    ]


def test_an_item_knows_the_headings_and_the_lead_in_that_it_stands_under():
    (unit,) = prose("## Option A\n\nWhat it looks like:\n- a flat list with badges\n")
    assert unit.context == ("Option A", "What it looks like:")
    assert unit.form is Form.ITEM


def contexts(text):
    return {text[unit.start : unit.end].strip("-1234. "): unit.context for unit in prose(text)}


def test_an_item_leads_in_what_is_indented_below_it_and_not_its_neighbours():
    text = (
        "What was changed:\n1. The parser:\n   - reads rewound branches\n2. The page shows them\n\nThat is all of it."
    )
    assert contexts(text) == {
        "reads rewound branches": ("What was changed:", "The parser:"),
        "The page shows them": ("What was changed:",),
        "That is all of it": (),
    }


def test_a_question_leads_in_the_options_below_it():
    text = (
        "Which form should the key have?\n\n| Option | Description |\n|---|---|\n| A | a flat name |\n| B | a table |"
    )
    asked = "Which form should the key have?"
    assert contexts(text) == {asked: (), "| A | a flat name |": (asked,), "| B | a table |": (asked,)}


def test_a_table_of_two_columns_says_all_in_its_rows():
    two = "| Option | Description |\n|---|---|\n| A, flat | one level of names |"
    three = "| File | Purpose | Lines |\n|---|---|---|\n| a.go | the hook | 18-74 |"
    assert [unit.context for unit in prose(two)] == [()]
    assert [unit.context for unit in prose(three)] == [("File / Purpose / Lines",)]


def test_a_heading_closes_the_deeper_ones():
    text = "# One\n## Two\nUnder the second title.\n# Three\nUnder the third title."
    assert [unit.context for unit in prose(text)] == [("One", "Two"), ("Three",)]


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("```go\nreturn fmt.Errorf(err)\n```\nWords after the code.", ["code", "sentence"]),
        ("```\nThe review is complete and says much.\nNothing else is open now.\n```", ["sentence"]),
        (
            "the end of a block that began before\n```\n\nWords after it.\n\n```go\nx := compute(y)\n```",
            ["sentence", "sentence", "code"],
        ),
    ],
)
def test_fences_hold_code_only_where_it_looks_like_code(text, forms):
    assert [unit.form.value for unit in prose(text)] == forms


@given(st.text(alphabet=st.sampled_from("ab .\n#-*|`1)\t:?é漢\u202e\x00"), max_size=400))
def test_units_lie_inside_their_text_in_order_and_are_bounded(text):
    units = prose(text)
    assert all(0 <= unit.start < unit.end <= len(text) for unit in units)
    assert all(unit.end - unit.start <= LONGEST for unit in units)
    assert all(a.end <= b.start for a, b in pairwise(units))


@settings(max_examples=20, deadline=2_000)
@given(st.sampled_from(["a", "`", "- ", "|", "#", "a.b ", "((", "Let me ", "\n", "**", "Ünï "]), st.integers(1, 60_000))
def test_repeated_signs_end_in_bounded_time(sign, times):
    assert len(prose(sign * times)) <= 20_000


@given(st.text(st.sampled_from("ab_*`# \nß"), max_size=40))
def test_plain_takes_markup_away_and_leaves_the_lines_within_names(text):
    assert plain(text) == " ".join(re.sub(r"[*`#]+|(?<!\w)_+|_+(?!\w)", "", text).split())
