import pytest

from conversations.audit.contrasts import swapped, unforced, unvalued
from conversations.audit.model import Detail
from conversations.audit.passages import PassageIndex


def index_of(summary, *sources, kept=()):
    return PassageIndex(summary, list(kept), list(sources))


ALERT = "Retry 5 times, then an alert to #billing-ops, not to the on-call phone."
LINE = "The exemption must be set on the product line, not on the customer."


@pytest.mark.parametrize(
    ("quote", "summary", "found"),
    [
        (ALERT, "Missing parts: retry 5 times, then an alert to the on-call phone.", True),
        (LINE, "- The exemption was set. It stands on the customer.", True),
        (ALERT, "Retry 5 times, then an alert to #billing-ops.", False),  # the side that is meant is there
        (ALERT, "Retry 5 times, then an alert to #billing-ops instead of the on-call phone.", False),
        (LINE, "The exemption is never set on the customer.", False),  # what is ruled out is ruled out
        (LINE, "The exemption is missing.", False),  # neither side
        (LINE, "The customer called about the invoice.", False),  # another matter
        ("Write it down, not now.", "Write it down now.", False),  # nothing is told apart
    ],
)
def test_the_side_that_was_ruled_out_is_found_in_the_place_of_the_other(quote, summary, found):
    judgement = swapped(quote, index_of(summary, quote))

    assert (judgement is not None) is found
    if judgement:
        assert (judgement.detail, judgement.detector) == (Detail.DISTORTED, "swapped")
        assert summary[judgement.start : judgement.end] in summary


RULE = "Never restart the primary search node during the day"


@pytest.mark.parametrize(
    ("summary", "kept", "found"),
    [
        ("The primary search node gets a restart.", (), True),
        ("The primary search node must not restart.", (), False),
        ("The primary search node gets a restart only at night.", (), False),
        ("The invoice template was mended.", (), False),  # nothing of it is there: forgotten, not altered
        ("The primary search node gets a restart.", (RULE,), False),
    ],
)
def test_a_prohibition_is_missed_where_its_subject_is_told(summary, kept, found):
    judgement = unforced(RULE, "Never", (0, len(summary)), index_of(summary, RULE, kept=kept))

    assert (judgement is not None) is found
    if judgement:
        assert (judgement.detail, judgement.reason) == (
            Detail.WEAKENED, "The summary names the subject, but “Never” is gone."
        )  # fmt: skip


@pytest.mark.parametrize(
    ("quote", "summary", "kept", "found"),
    [
        ("The node has only 32 GB of memory.", "The node has little memory.", (), True),
        ("Jonas measured 6 minutes per million.", "The migration's duration was measured.", (), True),
        ("The node has only 32 GB of memory.", "The node has 32GB.", (), False),
        ("The node has 32 GB of memory, 8 GB of it free.", "The node has 32 GB.", (), False),  # one of them is there
        ("The node has only 32 GB of memory.", "The node has little memory.", ("memory: 32 GB",), False),
        ("Look at line 343 of the merge.", "The merge was looked at.", (), False),  # names a place, counts nothing
        ("The node has little memory.", "The node is small.", (), False),
    ],
)
def test_a_figure_that_the_user_gave_is_missed(quote, summary, kept, found):
    judgement = unvalued(quote, (0, len(summary)), index_of(summary, quote, kept=kept))

    assert (judgement is not None) is found
    if judgement:
        assert judgement.detector == "lost_value"
