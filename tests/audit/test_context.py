import pytest

from conversations.audit.context import LONGEST_LIST, in_context, list_start, sentence_before
from conversations.audit.facts.draft import LONGEST_TEXT
from conversations.audit.facts.wording import worded
from conversations.audit.model import Author
from tests.audit.segments import Log, fact_of


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("The cache lives in the session store. ", "The cache lives in the session store."),
        ("Much else. What the cache does when it is full:\n- ", "What the cache does when it is full:"),
        (
            "What the table of colours holds:\n  3→| Name | Code |\n  4→| --- | --- |\n",
            "What the table of colours holds: Name – Code",
        ),
        ("Short. ", ""),
        ("", ""),
    ],
)
def test_the_sentence_before_is_found(before, expected):
    text = f"{before}It is cleared on reset."
    assert sentence_before(text, len(before)).rstrip(".:") == expected.rstrip(".:")


def told_of(text, quote, author=Author.ASSISTANT):
    """The sentence for people of `quote`, which stands in `text`."""
    line = Log().add(author, text)
    return in_context(fact_of(line, quote, text=worded(quote)), {("m0", 0): line.text})


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("The cache lives in the session store. It is cleared on reset.", "It is cleared on reset.",
         "The cache lives in the session store. It is cleared on reset."),
        ("Two ways to clear the cache are known\n\n- by hand\n- on reset of it", "- on reset of it",
         "Two ways to clear the cache are known. on reset of it"),
        ("Let me look at the session store. It is cleared on reset.", "It is cleared on reset.",
         "It is cleared on reset."),
    ],
)  # fmt: skip
def test_the_words_before_a_statement_stand_in_front_of_it(text, quote, expected):
    told = told_of(text, quote)
    assert (told.quote, told.text) == (quote, expected)


def test_what_a_user_says_of_a_paste_is_no_context_of_the_paste():
    text = "I would like a list of the cases. It is cleared on reset."
    assert told_of(text, "It is cleared on reset.", Author.PASTED).text == "It is cleared on reset."


def test_a_sentence_for_people_stays_short():
    text = "The cache lives in the session store. " + "It is cleared on reset and " * 12
    assert len(told_of(text, text[38:]).text) <= LONGEST_TEXT


@pytest.mark.parametrize("mark", ["- ", "1. ", "| "])
def test_an_item_is_led_in_by_what_stands_before_its_list(mark):
    text = f"Before it.\n\n{mark}first |\n{mark}second |\nafter"
    assert list_start(text, text.index("second")) == text.index(f"{mark}first")


def test_a_very_long_list_is_gone_back_only_so_far():
    text = "Lead.\n" + "- an item of the list\n" * 1_000
    assert len(text) - list_start(text, len(text) - 5) <= LONGEST_LIST + 100
