import pytest

from tests.factories import create_compaction, create_conversation

REACHED = "The request that began it had reached them"


@pytest.mark.parametrize(
    ("trigger", "before", "told", "explained"),
    [
        (None, 90_000, False, False),
        (100_000, 120_000, True, False),
        (100_000, None, True, False),
        (100_000, 90_000, True, True),  # a large result came with the request that was compacted
    ],
)
def test_tokens_before_that_lie_below_the_trigger_are_explained(alice, acme, trigger, before, told, explained):
    conversation = create_conversation(acme)
    compaction = create_compaction(
        conversation, kind="threshold", trigger_tokens=trigger, tokens_before_observed=before
    )

    page = alice.get(compaction.get_absolute_url()).content.decode()

    assert ("Set to begin at 100,000 tokens." in page) is told
    assert (REACHED in page) is explained
