import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.cutting import beginning_of, ending_of

SAID = "The cache is cleared on reset, because stale rows misled the reader of it"


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (len(SAID), SAID),
        (45, "The cache is cleared on reset …"),  # the edge of a clause is near
        (68, "The cache is cleared on reset, because stale rows misled the …"),  # too much would be gone
    ],
)
def test_a_beginning_ends_with_a_clause_where_one_is_near(room, expected):
    assert beginning_of(SAID, room) == expected


def test_the_number_of_an_item_ends_no_clause():
    assert beginning_of("Read the tree of it 2. Update the file at once", 34) == "Read the tree of it 2. Update …"


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (len(SAID), SAID),
        (52, "… because stale rows misled the reader of it"),
        (30, "… misled the reader of it"),
    ],
)
def test_an_ending_begins_with_a_clause_where_one_is_near(room, expected):
    assert ending_of(SAID, room) == expected


@given(st.text(max_size=200), st.integers(min_value=3, max_value=120))
def test_a_cut_fits_and_says_nothing_new(text, room):
    head, tail = beginning_of(text, room), ending_of(text, room)
    assert max(len(head), len(tail)) <= room or text in (head, tail)
    assert text.startswith(head.removesuffix("…").rstrip()) or head == text
    assert text.endswith(tail.removeprefix("…").lstrip()) or tail == text
