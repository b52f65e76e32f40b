import pytest

from conversations.spending.steps import steps_of
from conversations.spending.tally import Step

FOUND = {"found_by": "difference", "why": "The oldest messages are gone."}

RAWS = [
    # what a compaction's record says, what is read of it
    (None, [Step(9)]),
    ({"freed_tokens": 5}, [Step(9)]),  # somebody else's record
    (FOUND, [Step(9)]),
    (FOUND | {"freed_tokens": 5}, [Step(9, 5)]),
    (FOUND | {"freed_tokens": 5, "earlier": [[3, 7], [6, 8]]}, [Step(9, 5), Step(3, 7), Step(6, 8)]),
    (FOUND | {"freed_tokens": "5"}, [Step(9)]),
    (FOUND | {"freed_tokens": 5, "earlier": [[3]]}, [Step(9)]),
    ("difference", [Step(9)]),
    ([1], [Step(9)]),
]


@pytest.mark.parametrize(("raw", "found"), RAWS)
def test_steps_are_read_of_what_comparing_wrote_and_of_nothing_else(raw, found):
    assert steps_of(9, raw) == found
