import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.formats import lines
from conversations.ingest.formats.lines import BadLine, clean_text, decode_line, storable

ANY = msgspec.json.Decoder(dict)


def decode(line):
    return decode_line(ANY, line, 7)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": "plain"}', {"a": "plain"}),
        (b'{"a": "nul \\u0000 in it"}', {"a": "nul \ufffd in it"}),
        (b'{"a\\u0000": 1}', {"a\ufffd": 1}),
        (b'{"a": "half \\ud83d of it"}', {"a": "half \ufffd of it"}),
        (b'{"a": "whole \\ud83d\\ude00"}', {"a": "whole \U0001f600"}),
        (b'{"a": "raw \xff byte"}', {"a": "raw \ufffd byte"}),
        (b'{"a": "tab\there"}', {"a": "tab\there"}),
        (b'{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1e999}', {"a": None, "b": None, "c": None, "d": None}),
        (b'{"a": "\\ud83d", "b": 123456789012345678901234567890}', {"a": "\ufffd", "b": 1.2345678901234568e29}),
    ],
)
def test_decode_reads_what_real_logs_hold(line, value):
    assert decode(line) == value


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (b'{"a": ', "bad_json", "not JSON"),
        (b"[1, 2]", "bad_json", "not an object"),
        (b"null", "bad_json", "not an object"),
        (b'{"a": 1}{"b": 2}', "bad_json", "not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", "deeper than 256"),
        (b'{"a": NaN, "b":' + b"[" * 300 + b"]" * 300 + b"}", "too_deep", "deeper than 256"),
        (b'{"a": ' + b"9" * 5_000 + b"x", "bad_json", "not JSON"),
    ],
    ids=["cut off", "list", "null", "two", "bomb", "bomb the slow way", "digits"],
)
def test_decode_reports_what_it_cannot_read(line, code, message):
    with pytest.raises(BadLine) as caught:
        decode(line)

    problem = caught.value.problem
    assert (problem.code, problem.line) == (code, 7)
    assert message in problem.message
    assert problem.mend
    assert problem.raw == line[:500].decode()


def test_decode_refuses_a_giant_line(monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 100)

    with pytest.raises(BadLine) as caught:
        decode(b'{"a": "' + b"x" * 100 + b'"}')

    assert (caught.value.problem.code, caught.value.problem.message) == (
        "too_large",
        "This line is longer than 100 bytes, the most that is read.",
    )


ANY_TEXT = st.text(st.characters(codec=None, categories=None))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
)


@given(ANY_TEXT)
def test_clean_text_can_always_be_stored(text):
    clean = clean_text(text)

    assert "\x00" not in clean.encode().decode()


@given(ANY_JSON)
def test_storable_values_can_always_be_written_and_are_left_alone(value):
    stored = storable(value)

    assert msgspec.json.decode(msgspec.json.encode(stored)) == stored
    assert storable(stored) == stored


@given(st.dictionaries(ANY_TEXT, ANY_JSON, max_size=4))
def test_decode_reads_every_object(value):
    assert isinstance(decode(json.dumps(value).encode()), dict)
