import pytest

from conversations.audit.context import in_context, sentence_before
from tests.audit.segments import Log, fact_of


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("The cache lives in the session store. ", "The cache lives in the session store."),
        ("Much else. What the cache does when it is full:\n- ", "What the cache does when it is full:"),
        ("Short. ", ""),
        ("", ""),
    ],
)
def test_the_sentence_before_is_found(before, expected):
    text = f"{before}It is cleared on reset."
    assert sentence_before(text, len(before)).rstrip(".:") == expected.rstrip(".:")


def test_a_short_quote_gets_the_words_before_it_in_its_text_only():
    line = Log().agent("The cache lives in the session store. It is cleared on reset.")
    told = in_context(fact_of(line, "It is cleared on reset."), {("m0", 0): line.text})
    assert told.quote == "It is cleared on reset."
    assert told.text == "It is cleared on reset. (after: The cache lives in the session store)"


def test_a_long_quote_speaks_for_itself():
    line = Log().agent("The cache lives in the session store. " + "It is cleared on reset and " * 12)
    fact = fact_of(line, line.text[38:])
    assert in_context(fact, {("m0", 0): line.text}) == fact
