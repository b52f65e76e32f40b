import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit import text as words
from conversations.audit.text import (
    MAX_SENTENCE,
    STOP,
    WORD,
    Known,
    bag,
    blanked,
    content_stems,
    flat,
    grams,
    line_bags,
    sentences,
    signs,
    stem,
    stems,
)

TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from("ab AZ09.!?\n\t`#*-_|/\\\u202e\u0000\u200f\u05d0\u4e00…“”")
    ),
    max_size=400,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("verified", "verification"),
        ("configure", "configuration"),
        ("running", "run"),
        ("tests", "test"),
        ("postponed", "postpone"),
        ("policies", "policy"),
        ("kept", "keeps"),
        ("ran", "running"),
        ("two", "2"),
        ("behaviour", "behavior"),
    ],
)
def test_stem_brings_forms_of_one_word_together(a, b):
    assert stem(a) == stem(b)


@pytest.mark.parametrize(("a", "b"), [("test", "text"), ("import", "important"), ("port", "part"), ("node", "note")])
def test_stem_keeps_other_words_apart(a, b):
    assert stem(a) != stem(b)


@given(st.text("abcdeimnorsty", max_size=20))
def test_stem_leaves_a_beginning_or_an_irregular_form(word):
    root = stem(word)
    assert len(root) <= len(word) + 1
    assert root[:2] == word[:2] or len(word) <= 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("carryForward", ["carri", "forward"]),
        ("parse_HTTPHeader", ["pars", "http", "head"]),
        ("1,000 rows", ["1", "000", "row"]),
        ("使用 x", ["使", "用", "x"]),
        ("the and of", []),
    ],
)
def test_content_stems_take_names_apart_and_leave_small_words_out(text, expected):
    assert content_stems(text) == expected


@given(TEXTS)
def test_words_are_runs_of_letters_or_of_digits(text):
    found = [word.lower() for word in WORD.findall(text)]

    assert flat(text) == " ".join(found)
    if text.isascii() and text == text.lower():
        assert stems(text) == [stem(word) for word in found]


@given(st.text("abcXY12 _é→\n", max_size=200))
def test_stems_do_not_depend_on_other_signs_of_the_text(text):
    assert stems(text + " →") == stems(text) == stems(text + " é")[:-1]


def test_known_forgets_everything_when_it_is_full_and_never_keeps_data(monkeypatch):
    monkeypatch.setattr(Known, "MOST", 2)
    known = Known(lambda run: iter([run.upper()]), longest=3)

    assert [known[run] for run in ("a", "b", "long", "a")] == [("A",), ("B",), ("LONG",), ("A",)]
    assert set(known) == {"a", "b"}
    assert known["c"] == ("C",)
    assert set(known) == {"c"}


@given(TEXTS)
def test_line_bags_are_the_bags_of_the_lines(text):
    pieces = [line[at : at + 7] for line in text.split("\n") for at in range(0, len(line), 7)]

    assert list(line_bags(text, 7)) == [bag(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a_b/c→1", "a_b c 1"), ("", ""), ("naïve", None), ("１", None), ("\ud800 x", "  x")],
)
def test_blanked_keeps_what_it_is_told_and_gives_up_at_other_alphabets(text, expected):
    assert blanked(text, signs("_")) == expected


@given(TEXTS)
def test_blanked_gives_up_only_where_letters_or_digits_are_not_ascii(text):
    foreign = any(sign.isalnum() and not sign.isascii() for sign in text)

    assert (blanked(text, signs()) is None) == foreign


@given(TEXTS, TEXTS)
def test_grams_are_shared_where_four_signs_in_a_row_are(one, other):
    def sliced(text):
        return {text[at : at + 4] for at in range(max(1, len(text) - 3))}

    assert len(grams(one)) == len(sliced(one))
    assert len(grams(one) & grams(other)) == len(sliced(one) & sliced(other))


def test_a_long_text_says_the_same_as_its_parts():
    part = "Never push to main. " * 10
    assert len(part) < words.SHORT < len(part * 10)
    assert content_stems(part * 10) == content_stems(part) * 10


@given(TEXTS)
def test_bag_is_the_set_of_the_content_stems(text):
    assert bag(text) == set(content_stems(text))


@given(TEXTS)
def test_flat_is_blind_to_markup_and_to_case(text):
    assert flat(f"**{text}**") == flat(text)
    if text.isascii():
        assert flat(flat(text)) == flat(text) == flat(text.upper())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Three?", ["One is here.", "Two is there!", "Three?"]),
        ("See e.g. Paris or No. 5 of 9.", ["See e.g. Paris or No. 5 of 9."]),
        ("- [x] a done thing\n  1. **Bold** start", ["a done thing", "**Bold** start"]),
        ("## A title\n\ntext below", ["A title", "text below"]),
        ("| a | b |\n|---|---|", ["| a | b |", "|---|---|"]),
        ("```py\nx = 1. Y\n- z\n```\nafter", ["x = 1. Y", "- z", "after"]),
        ("第一句。第二句。", ["第一句。", "第二句。"]),
        ("version 1.2.3 is out", ["version 1.2.3 is out"]),
        ("", []),
        (" \n \n", []),
    ],
)
def test_sentences_follow_markdown(text, expected):
    assert [text[s.start : s.end] for s in sentences(text)] == expected


@given(TEXTS)
def test_sentences_are_in_order_bounded_and_lose_no_word(text):
    place, said = 0, []
    for sentence in sentences(text):
        assert place <= sentence.start < sentence.end <= len(text)
        assert sentence.end - sentence.start <= MAX_SENTENCE
        place = sentence.end
        said += stems(text[sentence.start : sentence.end])
    if "`" not in text and "~" not in text:  # a fence's own line is left out
        assert [stem for stem in said if not stem.isdigit()] == [stem for stem in stems(text) if not stem.isdigit()]


@pytest.mark.parametrize(
    "sign", [" ", "a", "a ", "a. ", "A. ", ".", "!", "#", "- ", "`", "\\", "\u202e", "1.", "aA", "(", "\t"]
)
def test_sentences_of_a_huge_line_are_bounded_pieces(sign):
    text = sign * (2_000_000 // len(sign))
    pieces = list(sentences(text))
    assert len(pieces) <= len(text) / len(sign) + 1
    assert all(piece.end - piece.start <= MAX_SENTENCE for piece in pieces)


def test_stop_words_are_known_as_written_and_as_stems():
    assert {"does", "because", stem("because"), "the"} <= STOP
    assert not STOP & {stem("tests"), stem("never"), stem("users")}
