import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit import modality
from conversations.audit.facts import cues
from conversations.audit.patterns import AnyCase

CUES = [cue for module in (cues, modality) for cue in vars(module).values() if isinstance(cue, AnyCase)]
SIGNS = st.sampled_from(["never", "Not RUN", "MUST", "don't", "To-Do", "is", " ", "-", ".", "x", "é", "İ", "\n"])


@pytest.mark.parametrize("cue", CUES)
def test_cues_are_written_in_small_letters(cue):
    """A capital in one would fit no text."""
    written = re.sub(r"\\.", "", cue._small.pattern)
    assert written == written.lower()


@pytest.mark.parametrize("cue", CUES)
@given(text=st.lists(SIGNS, max_size=8).map("".join))
def test_any_case_finds_what_ignoring_case_finds(cue, text):
    plain = re.compile(cue._small.pattern, re.IGNORECASE)

    for ours, theirs in ((cue.search(text), plain.search(text)), (cue.match(text), plain.match(text))):
        assert (ours and ours.span()) == (theirs and theirs.span())
    assert cue.findall(text) == plain.findall(text)
    assert [match.span() for match in cue.finditer(text)] == [match.span() for match in plain.finditer(text)]


def test_letter_with_two_small_ones_hides_no_match():
    assert AnyCase(r"\w+n't").match("İdon't").group() == "İdon't"


def test_matches_are_of_the_text_as_it_is_written():
    assert AnyCase("not run").search("It was Not Run.").group() == "Not Run"
