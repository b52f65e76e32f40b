import pytest

from conversations.audit.model import Author, FactState
from conversations.audit.replaced import with_replaced
from tests.audit.segments import Log, fact_of

OLD = "The preview server of the shop listens on port 5173 now."
NEW = "The preview server of the shop listens on port 5199 now."


def states(*said):
    """The state of each statement, given as (author, words), when all were said in this order."""
    log = Log()
    return [fact.state for fact in with_replaced([fact_of(log.add(author, words)) for author, words in said])]


def test_the_older_of_two_figures_of_the_same_thing_is_superseded():
    assert states((Author.ASSISTANT, OLD), (Author.ASSISTANT, NEW)) == [FactState.SUPERSEDED, FactState.OPEN]


@pytest.mark.parametrize(
    "said",
    [
        ((Author.USER, OLD), (Author.ASSISTANT, NEW)),  # only the user takes back what the user gave
        ((Author.ASSISTANT, OLD), (Author.THINKING, NEW)),
        ((Author.ASSISTANT, OLD), (Author.ASSISTANT, OLD)),
        ((Author.ASSISTANT, OLD), (Author.ASSISTANT, "The admin server of the depot listens on port 5199 now.")),
        ((Author.ASSISTANT, OLD), (Author.ASSISTANT, "Its port is 5199.")),
        ((Author.ASSISTANT, "1. Write the upload test of api"), (Author.ASSISTANT, "4. Write the upload test of api")),
        ((Author.ASSISTANT, OLD), (Author.ASSISTANT, NEW + " The debugger has 9229.")),
    ],
)  # fmt: skip
def test_other_things_and_other_voices_replace_nothing(said):
    assert set(states(*said)) == {FactState.OPEN}


def test_the_user_may_replace_whatever_was_said():
    assert states((Author.SUMMARY, OLD), (Author.USER, NEW)) == [FactState.SUPERSEDED, FactState.OPEN]


def test_what_stands_side_by_side_is_a_list_and_replaces_nothing():
    line = Log().agent(f"{OLD}\n{NEW}")
    facts = [fact_of(line, OLD), fact_of(line, NEW)]
    assert with_replaced(facts) == facts
