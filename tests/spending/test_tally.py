from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.spending.tally import Call, Cut, Run, Step, Sums, Turn, Usage, count, freed_before

DAY = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


def turns(*sizes, output=0):
    """Turns at positions 10, 20, …; a size of None is not known."""
    return [Turn(10 * number, size, output) for number, size in enumerate(sizes, 1)]


def at_places(positions):
    """Steps of which only the turns around them tell what they freed."""
    return [Step(position) for position in positions]


def would(found, given_turns):
    return [turn.context + freed.tokens for turn, freed in zip(given_turns, found, strict=True)]


@pytest.mark.parametrize(
    ("sizes", "steps", "expected", "certain"),
    [
        # what is sent, where it was compacted, what would have been sent, whether that is certain
        ([100, 200, 300], [], [100, 200, 300], [True] * 3),
        ([100, 200, 50, 80], [25], [100, 200, 200, 230], [True] * 4),
        ([100, 200, 50, 80, 20, 30], [25, 45], [100, 200, 200, 230, 230, 240], [True] * 6),
        ([100, 200, 50], [21, 25, 29], [100, 200, 200], [True] * 3),  # one step, however many compactions
        ([100, 200, 250], [25], [100, 200, 250], [True] * 3),  # more was said meanwhile than was freed
        ([100, 200, 50], [30], [100, 200, 200], [True] * 3),  # a turn at its position comes after it
        ([50, 80], [5], [50, 80], [False] * 2),  # nothing is known of what was before
        ([100, 200], [25], [100, 200], [True] * 2),  # nothing came after
    ],
)
def test_turns_would_have_sent_what_was_freed_before_them(sizes, steps, expected, certain):
    given_turns = turns(*sizes)

    found = freed_before(given_turns, at_places(steps))

    assert would(found, given_turns) == expected
    assert [freed.certain for freed in found] == certain


def test_the_answer_before_a_compaction_would_have_been_sent_too():
    assert [freed.tokens for freed in freed_before(turns(100, 20, output=7), at_places([15]))] == [0, 87]


def test_loss_that_says_what_it_freed_is_believed_and_not_counted_twice():
    given_turns = turns(100, 100, 100, 100)

    assert would(freed_before(given_turns, [Step(15, 40), Step(25, 30)]), given_turns) == [100, 140, 170, 170]
    assert would(freed_before(turns(100, 30), [Step(15, 40), Step(16)]), turns(100, 30)) == [100, 100]
    assert would(freed_before(turns(100, 30), [Step(14), Step(15, 40)]), turns(100, 30)) == [100, 100]


def test_turn_of_unknown_size_does_not_close_a_step():
    found = freed_before(turns(100, None, 30, 40), at_places([15]))

    assert found[1] == (0, False)
    assert found[2:] == [(70, True), (70, True)]


sizes_and_steps = st.lists(st.integers(0, 200_000), min_size=1, max_size=30).flatmap(
    lambda sizes: st.tuples(st.just(sizes), st.lists(st.integers(0, 10 * len(sizes) + 10), max_size=8))
)


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=30))
def test_without_compaction_nothing_else_would_have_been_sent(sizes):
    given_turns = turns(*sizes, output=5)

    assert would(freed_before(given_turns, []), given_turns) == sizes


@given(sizes_and_steps)
def test_never_less_would_have_been_sent(made):
    sizes, steps = made

    found = freed_before(turns(*sizes, output=5), at_places(steps))

    assert [freed.tokens for freed in found] == sorted(freed.tokens for freed in found)
    assert found[0].tokens == 0


@given(sizes_and_steps, st.data())
def test_another_compaction_raises_all_turns_after_it_by_what_it_freed(made, data):
    sizes, steps = made
    given_turns = turns(*sizes, output=5)
    at = data.draw(st.integers(1, len(sizes)))
    steps = [step for step in steps if not 10 * at < step <= 10 * (at + 1)]  # none yet between these two turns
    before = freed_before(given_turns, at_places(steps))
    after = freed_before(given_turns, at_places([*steps, 10 * at + 5]))

    more = max(sizes[at - 1] + 5 - sizes[at], 0) if at < len(sizes) else 0
    assert [b.tokens - a.tokens for a, b in zip(before, after, strict=True)] == [0] * at + [more] * (len(sizes) - at)


# --- sums -------------------------------------------------------------------------------------------------------------


def call(position, *, read=0, written=0, plain=0, output=0, **fields):
    usage = Usage(plain, read, written, output)
    made = {"slot": DAY, "model": "m", "purpose": "turn", "usage": usage, "context": plain + read + written}
    return Call(position, **{**made, **fields})


def test_sums_by_hand():
    """Two turns, a compaction, two turns; the second after it read three quarters of its input from the cache."""
    calls = [
        call(10, plain=1000, output=100),
        call(20, plain=100, read=9000, written=900, output=500),
        call(30, plain=2000, output=50),
        call(40, plain=1000, read=3000, output=50),
    ]
    cuts = [Cut(25, DAY, "", Usage(10_000, 0, 0, 400))]

    tally = count(Run(), calls, cuts)

    freed = 10_000 + 500 - 2000  # the context and answer of the second turn, less the context of the third
    assert tally.sums == {
        ("m", DAY): Sums(
            calls=4, input_tokens=4100, cache_read_tokens=12_000, cache_write_tokens=900, output_tokens=700,
            freed_input_tokens=freed + freed - freed * 3 // 4, freed_read_tokens=freed * 3 // 4,
            compactions=1, summary_input_tokens=10_000, summary_output_tokens=400,
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "context", "expected"),
    [
        (Usage(), None, {"calls": 1, "unknown_calls": 1, "partial_calls": 1}),
        (Usage(), 500, {"calls": 1, "partial_calls": 1, "input_tokens": 500}),
        (Usage(500, None, None, None), 500, {"calls": 1, "partial_calls": 1, "input_tokens": 500}),
        (Usage(500, None, None, 7), 500, {"calls": 1, "input_tokens": 500, "output_tokens": 7}),
        (Usage(0, 0, 0, 0), 0, {"calls": 1}),
    ],
)
def test_what_is_not_known_is_said(usage, context, expected):
    [sums] = count(Run(), [call(10, usage=usage, context=context)], []).sums.values()

    assert sums == Sums(**expected)


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ({}, {"compactions": 1, "unpriced_compactions": 1}),
        ({"summarised": False}, {"compactions": 1}),
        ({"failed": True}, {"unpriced_compactions": 1}),
        ({"cost": Usage(9, 8, 7, 6)}, {"compactions": 1, "summary_input_tokens": 9, "summary_read_tokens": 8,
                                      "summary_write_tokens": 7, "summary_output_tokens": 6}),
    ],
)  # fmt: skip
def test_compactions_and_their_cost_are_counted(cut, expected):
    [sums] = count(Run(), [], [Cut(**{"position": 5, "slot": DAY, "model": "m", "cost": Usage(), **cut})]).sums.values()

    assert sums == Sums(**expected)


def test_failed_compaction_freed_nothing():
    tally = count(
        Run(), [call(10, plain=900), call(20, plain=100)], [Cut(15, DAY, "m", Usage(), failed=True, summarised=False)]
    )

    assert tally.sums["m", DAY].freed == 0


def test_summary_is_the_last_turns_models_where_nobody_names_another():
    tally = count(Run(), [call(10, model="claude-opus-5")], [Cut(15, DAY, "", Usage(3))])

    assert tally.sums["claude-opus-5", DAY].summary_input_tokens == 3


@given(
    st.lists(st.integers(0, 100_000), min_size=1, max_size=20),
    st.lists(st.integers(0, 20), max_size=5),
    st.integers(0, 20),
)
def test_counting_in_two_parts_is_counting(sizes, steps, split):
    calls = [call(10 * n, plain=size, read=size // 3, output=n) for n, size in enumerate(sizes, 1)]
    cuts = [Cut(10 * step + 5, DAY, "m", Usage()) for step in set(steps)]
    whole, parts = Run(), Run()
    border = 10 * split + 7

    expected = count(whole, calls, cuts)
    first = count(parts, [c for c in calls if c.position < border], [c for c in cuts if c.position < border])
    rest = count(parts, [c for c in calls if c.position > border], [c for c in cuts if c.position > border])

    assert (added_up(first, rest), parts) == (added_up(expected), whole)


def added_up(*tallies):
    """Whatever calls are billed as."""
    total = Sums()
    for tally in tallies:
        for sums in tally.sums.values():
            total += sums
    return total
