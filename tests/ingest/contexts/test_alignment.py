import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.contexts.alignment import align

CASES = [
    ("", "", []),
    ("abc", "abc", [0, 1, 2]),
    ("abc", "abcd", [0, 1, 2, -1]),
    ("abcdef", "defg", [3, 4, 5, -1]),
    ("abcdef", "aSefg", [0, -1, 4, 5, -1]),
    ("abcdef", "Sefg", [-1, 4, 5, -1]),
    ("abcdef", "xyz", [-1, -1, -1]),
    ("abcdef", "abXdef", [0, 1, -1, 3, 4, 5]),
    # the same is said again and again: its neighbours tell which one it is
    ("cacbcd", "cdc", [4, 5, -1]),
    ("cacbcdc", "cdce", [4, 5, 6, -1]),
    ("okabokcd", "okcdn", [4, 5, 6, 7, -1]),
    # nothing occurs once
    ("abababab", "Sabab", [-1, 4, 5, 6, 7]),
    # what moved is new where it is now
    ("abcd", "bcda", [1, 2, 3, -1]),
]


def atoms(text):
    return [letter.encode() for letter in text]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_atoms_are_found_again(old, new, expected):
    assert align(atoms(old), atoms(new)) == expected


letters = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=30)


@given(letters, letters)
def test_matches_are_equal_and_in_order(old, new):
    matched = align(old, new)

    assert len(matched) == len(new)
    used = [at for at in matched if at >= 0]
    assert used == sorted(set(used))
    assert all(at < 0 or old[at] == atom for at, atom in zip(matched, new, strict=True))


@given(letters, letters)
def test_what_only_grew_is_found_whole(old, more):
    assert align(old, old + more)[: len(old)] == list(range(len(old)))


@given(st.lists(st.binary(min_size=8, max_size=8), unique=True, max_size=60), st.data())
def test_whatever_is_cut_out_the_rest_is_found(old, data):
    kept = sorted(data.draw(st.sets(st.integers(0, max(0, len(old) - 1)), max_size=len(old)))) if old else []

    assert align(old, [old[at] for at in kept]) == kept
