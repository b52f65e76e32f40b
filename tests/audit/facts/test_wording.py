import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.facts.wording import worded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cache is **cleared** on `reset`.", "The cache is cleared on reset."),
        ("| Port | **3100** |\n|---|---|\n| Host | `localhost` |", "Port – 3100; Host – localhost"),
        ("│ Port │ 3100 │", "Port – 3100"),
        ("| cut off | in the mid", "cut off – in the mid"),
        ("a | b", "a | b"),
        ("- first\n- second\n* third", "first; second; third"),
        ("Steps:\n1. read\n2. write.\n3) close", "Steps: 1. read; 2. write. 3) close"),
        ("- **Steps:**\n  - read\n  - write", "Steps: read; write"),
        ("one paragraph\nof two lines", "one paragraph of two lines"),
        ("--flag is passed on", "--flag is passed on"),
        ("- ", ""),
    ],
)
def test_what_stands_on_several_lines_is_read_on_one(text, expected):
    assert worded(text) == expected


@given(st.text(alphabet="ab-|*. \n1)│:", max_size=80))
def test_no_word_is_lost_and_none_is_made(text):
    assert [c for c in worded(text) if c in "ab1"] == [c for c in text if c in "ab1"]
    assert "\n" not in worded(text)
