import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.text import MAX_SENTENCE, STOP, bag, content_stems, flat, sentences, stem, words

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
def test_words_stand_where_they_say(text):
    place = 0
    for word in words(text):
        assert place <= word.start < word.end <= len(text)
        assert not any(sign.isspace() for sign in text[word.start : word.end])
        place = word.end


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
        said += words(text[sentence.start : sentence.end])
    if "`" not in text and "~" not in text:  # a fence's own line is left out
        inside = [w.stem for w in said if not w.stem.isdigit()]
        assert inside == [w.stem for w in words(text) if not w.stem.isdigit()]


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
