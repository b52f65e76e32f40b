import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.segments import PlacedCompaction, PlacedMessage, drops, is_failed
from conversations.vocabulary import CompactionKind, SummaryState
from tests.counting import steps


def said(*keys):
    """Messages at positions 10, 20, 30 …"""
    return [PlacedMessage(key, position) for position, key in zip(range(10, 10_000, 10), keys, strict=False)]


def result(key, position, *calls, only=True):
    return PlacedMessage(key, position, calls, only)


def test_compaction_drops_what_came_before_it():
    assert drops(said("a", "b", "c"), [PlacedCompaction("x", 25)]) == {"a": "x", "b": "x"}


def test_message_leaves_once_and_the_summary_leaves_with_the_next():
    messages = said("a", "s1", "b", "s2", "c")
    compactions = [PlacedCompaction("x", 15, summary="s1"), PlacedCompaction("y", 35, summary="s2")]

    assert drops(messages, compactions) == {"a": "x", "s1": "y", "b": "y"}


def test_message_at_the_position_of_the_compaction_stays():
    assert drops(said("a", "b"), [PlacedCompaction("x", 20)]) == {"a": "x"}


def test_kept_messages_stay_until_a_compaction_that_does_not_keep_them():
    compactions = [PlacedCompaction("x", 25, kept=["b", "unknown"]), PlacedCompaction("y", 35)]

    assert drops(said("a", "b", "c"), compactions) == {"a": "x", "b": "y", "c": "y"}


def test_summary_told_before_its_compaction_is_not_dropped_by_it():
    assert drops(said("a", "s"), [PlacedCompaction("x", 25, summary="s")]) == {"a": "x"}


def test_listed_messages_are_dropped_and_no_others():
    compaction = PlacedCompaction("x", 35, kind=CompactionKind.TRUNCATION, dropped=["c", "a", "later", "a"])

    assert drops([*said("a", "b", "c"), PlacedMessage("later", 40)], [compaction]) == {"c": "x", "a": "x"}


def test_nothing_listed_is_nothing_dropped():
    assert drops(said("a", "b"), [PlacedCompaction("x", 25, dropped=[])]) == {}


@pytest.mark.parametrize("kind", [CompactionKind.MICROCOMPACT, CompactionKind.TOOL_CLEAR])
def test_clearing_takes_only_results_of_the_calls_named(kind):
    messages = [
        *said("a"),
        result("one", 20, "t1"),
        result("other", 30, "t9"),
        result("both", 40, "t1", "t2"),
        result("half", 50, "t1", "t9"),
        result("with words", 60, "t2", only=False),
        result("later", 80, "t1"),
        PlacedMessage("attachment", 65),
    ]
    clearing = PlacedCompaction("x", 70, kind=kind, cleared=["t1", "t2"], dropped=["attachment"])

    assert drops(messages, [clearing]) == {"attachment": "x", "one": "x", "both": "x"}
    assert drops(messages, [clearing, PlacedCompaction("y", 75)])["half"] == "y"


def test_clearing_that_names_nothing_drops_nothing():
    assert (
        drops([result("r", 10, "t1"), result("none", 11)], [PlacedCompaction("x", 20, kind=CompactionKind.TOOL_CLEAR)])
        == {}
    )


def test_what_was_abandoned_is_not_dropped_unless_it_is_listed():
    abandoned = PlacedCompaction("x", 35, abandoned=["b", "unknown"])

    assert drops(said("a", "b", "c"), [abandoned]) == {"a": "x", "c": "x"}
    assert drops(said("a", "b", "c"), [abandoned, PlacedCompaction("y", 45, dropped=["b"])])["b"] == "y"


def test_failed_compaction_drops_nothing():
    assert drops(said("a", "b"), [PlacedCompaction("x", 25, failed=True)]) == {}


@pytest.mark.parametrize(
    ("state", "failed"), [(SummaryState.FAILED, True), ("failed", True), (SummaryState.ABSENT, False), (None, False)]
)
def test_is_failed(state, failed):
    assert is_failed(state) is failed


KEYS = st.lists(st.sampled_from("abcdefghij"), max_size=4)
MESSAGES = st.lists(
    st.builds(
        PlacedMessage,
        st.sampled_from("abcdefghij"),
        st.integers(0, 30),
        st.lists(st.sampled_from("tuv"), max_size=2),
        st.booleans(),
    ),
    unique_by=lambda message: message.key,
)
COMPACTIONS = st.lists(
    st.builds(
        PlacedCompaction,
        st.sampled_from("XYZW"),
        st.integers(0, 30),
        st.sampled_from(CompactionKind),
        KEYS,
        st.none() | KEYS,
        st.lists(st.sampled_from("tuv"), max_size=2),
        st.sampled_from(["", *"abc"]),
        st.booleans(),
    ),
    unique_by=lambda compaction: compaction.key,
)


@given(MESSAGES, COMPACTIONS, st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(messages, compactions, shuffled):
    known = drops(messages, compactions)
    shuffled.shuffle(messages)
    shuffled.shuffle(compactions)

    assert drops(messages, compactions) == known


@given(MESSAGES, COMPACTIONS)
def test_what_is_dropped_came_before_and_was_not_kept(messages, compactions):
    placed = {message.key: message for message in messages}
    by_key = {compaction.key: compaction for compaction in compactions}

    for key, compaction in drops(messages, compactions).items():
        dropper = by_key[compaction]
        assert placed[key].position < dropper.position
        assert key not in dropper.kept
        assert key != dropper.summary
        assert not dropper.failed


@given(MESSAGES, st.integers(1, 40))
def test_a_full_compaction_of_a_fresh_context_splits_it_in_two(messages, position):
    gone = drops(messages, [PlacedCompaction("x", position)])

    assert set(gone) == {message.key for message in messages if message.position < position}


def test_work_grows_with_the_number_of_messages():
    def work(count):
        messages = [result(f"m{number}", number, f"t{number}") for number in range(count)]
        random.Random(1).shuffle(messages)
        every = range(0, count, count // 50)
        compactions = [PlacedCompaction(f"x{at}", at, kept=[f"m{at - 1}"]) for at in every]
        assert len(drops(messages, compactions)) > count * 0.9
        return steps(lambda: drops(messages, compactions))

    assert work(5_000) < 15 * work(500)  # tenfold; a quadratic walk takes a hundredfold
