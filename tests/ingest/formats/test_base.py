from datetime import UTC, datetime

import pytest

from conversations.ingest.formats.base import Unknown, key_of, keys_of, milliseconds, moment, short_title, tokens_of

NOON = datetime(2026, 7, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-07-26T12:00:00.000Z", NOON),
        ("2026-07-26T14:00:00+02:00", NOON),
        ("2026-07-26T12:00:00", NOON),
        (1785067200, NOON),
        (1785067200.0, NOON),
        (1785067200000, NOON),
        ("noon", None),
        (True, None),
        (None, None),
        (1e300, None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_moment_reads_what_logs_hold(value, at):
    assert moment(value) == at


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOON, NOON.replace(second=2), 2000),
        (NOON, NOON, 0),
        (NOON.replace(second=2), NOON, None),
        (None, NOON, None),
        (NOON, None, None),
        (NOON.replace(year=2020), NOON, None),
    ],
)
def test_milliseconds_are_not_guessed(start, end, expected):
    assert milliseconds(start, end) == expected


@pytest.mark.parametrize(
    ("value", "count"), [(0, 0), (12.0, 12), (-1, None), (True, None), ("5", None), (2**31, None), (float("nan"), None)]
)
def test_tokens_are_counts_that_can_be_true(value, count):
    assert tokens_of(value) == count


@pytest.mark.parametrize(("value", "key"), [("a", "a"), ("", ""), (5, ""), ("x" * 201, ""), ("a\ufffd", "")])
def test_key_is_an_id_or_nothing(value, key):
    assert key_of(value) == key


def test_keys_stand_once_and_in_order():
    assert keys_of(["b", "a", None, "b", "", 5]) == ["b", "a"]


def test_title_is_one_line():
    assert short_title("a\n  b") == "a b"
    assert len(short_title("word " * 10_000)) <= 120


def test_unknown_types_beyond_reason_are_counted_together():
    unknown = Unknown()
    for number in range(300):
        unknown.count(f"type-{number}", number)

    found = list(unknown.problems())
    assert len(found) == 201
    assert "100 times" in found[-1].message
