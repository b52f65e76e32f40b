import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.model import Author, Line, Segment
from conversations.audit.passages import (
    MAX_BLOCK,
    MAX_SOURCE,
    MAX_SUMMARY,
    PassageIndex,
    Rarity,
    bounded,
    exact_words,
    flattened,
)
from conversations.audit.text import flat
from conversations.vocabulary import CompactionKind, Role, SummaryState

WORDY = st.text(st.sampled_from("ab cD.\n-*`1é\u05d0"), max_size=200)


@given(WORDY)
def test_flattened_says_the_same_as_flat(text):
    assert flattened(text).words == flat(text)


@given(WORDY, st.data())
def test_flattened_finds_every_run_of_words_where_it_stands(text, data):
    whole = flattened(text)
    words = whole.words.split()
    if words:
        first = data.draw(st.integers(0, len(words) - 1))
        last = data.draw(st.integers(first, len(words) - 1))
        needle = " ".join(words[first : last + 1])
        start, end = whole.find(needle)
        assert flat(text[start:end]) == needle


@pytest.mark.parametrize("needle", ["", "tes", "ests pass", "other"])
def test_flattened_finds_whole_words_only(needle):
    assert flattened("All tests pass.").find(needle) is None


def test_rarity_falls_with_the_number_of_lines_that_have_a_word():
    rarity = Rarity(["alpha beta\nalpha gamma\nalpha", "beta"])
    assert rarity("alpha") < rarity("beta") < rarity("gamma") < rarity("unseen")


@given(WORDY)
def test_passages_stand_in_the_summary_in_order(text):
    index = PassageIndex(text)
    place = 0
    for number, passage in enumerate(index.passages):
        assert place <= passage.start < passage.end <= len(text)
        assert index.span(number, number) == (passage.start, passage.end)
        place = passage.end
        assert all(number in index.postings[stem] for stem in passage.bag)


def test_what_is_read_is_bounded():
    index = PassageIndex("x" * (MAX_SUMMARY * 3), ["y " * MAX_SOURCE] * 3, ["z\n" * MAX_SOURCE] * 3)
    assert len(index.summary) == MAX_SUMMARY
    assert len(index.kept_flat) <= MAX_SOURCE + 20
    assert len(index.seen) <= 3 * MAX_BLOCK + 2


@given(st.lists(st.text(max_size=50), max_size=9), st.integers(0, 60))
def test_bounded_gives_beginnings(texts, block):
    for text, piece in zip(texts, bounded(texts, block), strict=True):
        assert text.startswith(piece)
        assert len(piece) == min(block, len(text))


@pytest.mark.parametrize(
    ("state", "readable"),
    [
        (SummaryState.TEXT, True),
        (SummaryState.ABSENT, True),
        (SummaryState.ENCRYPTED, False),
        (SummaryState.FAILED, False),
    ],
)
def test_index_of_a_segment_knows_whether_the_summary_can_be_read(state, readable):
    said = Line("m", 0, Role.USER, Author.USER, "keep this line here", 3)
    segment = Segment("c", 1, CompactionKind.CLIENT, state, "", [said], [said], [said], [], complete=True)
    index = PassageIndex.of(segment)
    assert index.readable is readable
    assert index.kept_flat.count("keep this line here") == 2


@pytest.mark.parametrize(
    ("position", "word", "later"), [(3, "done", True), (7, "done", False), (3, "verified", False), (3, "", False)]
)
def test_said_later_looks_at_later_lines_about_the_same(position, word, later):
    sources = ["migration of the user table is not run", "The migration of the user table is done.", "lint verified"]
    index = PassageIndex("", [], sources, positions=[1, 7, 9])
    assert index.said_later(position, sources[0], word) is later


def test_exact_words_are_names_paths_and_numbers():
    assert exact_words("the parseThing in ./src/a.py took 12 of them, says Koirala") == {
        "parsething", "src/a.py", "12", "koirala",
    }  # fmt: skip


def test_about_gives_the_passages_that_carry_enough_of_a_text():
    index = PassageIndex("The importer retries.\nDocs are due.\nThe importer retries three uploads.")
    found = [index.summary[slice(*span)] for span in index.about("importer retries uploads", 0.9)]
    assert found == ["The importer retries three uploads."]
    assert index.about("nothing known", 0.9) == []


def test_later_gives_what_was_dropped_after_a_position():
    index = PassageIndex("", sources=["one", "two", "three"], positions=[1, 2, 3])
    assert list(index.later(1)) == ["two", "three"]


@given(st.lists(WORDY, max_size=4), WORDY, WORDY)
def test_lines_about_something_are_the_same_whichever_way_their_words_were_counted(sources, summary, fact):
    own = PassageIndex(summary, sources=sources)
    given_it = PassageIndex(summary, sources=sources, rarity=Rarity((summary, *sources)))

    assert list(own.lines_about(fact, -1)) == list(given_it.lines_about(fact, -1))
