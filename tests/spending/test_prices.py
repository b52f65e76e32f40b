from datetime import date

import pytest

from conversations.spending.prices import Price, PriceTable, plain_name
from conversations.spending.published import PUBLISHED
from conversations.spending.savings import savings_of
from conversations.spending.tally import Sums

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("claude-opus-4-5", "claude-opus-4-5"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5"),
        ("anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
        ("us.anthropic.claude-sonnet-4-6-v1:0", "claude-sonnet-4-6"),
        ("us-gov.anthropic.claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("anthropic/claude-opus-5", "claude-opus-5"),
        ("bedrock/eu.anthropic.claude-opus-5", "claude-opus-5"),
        ("claude-opus-5[1m]", "claude-opus-5"),
        ("Claude-Opus-5-latest", "claude-opus-5"),
        ("gpt-5.5", "gpt-5.5"),
        ("gpt-5.5-2026-04-01", "gpt-5.5"),
        ("<synthetic>", "<synthetic>"),
        ("", ""),
    ],
)
def test_plain_name_leaves_out_what_providers_add(name, plain):
    assert plain_name(name) == plain


def price(pattern, amount, since=None):
    return Price(pattern, amount, 0, 0, 0, since=since)


TABLE = PriceTable(
    [price("claude-*", 1), price("claude-opus-*", 2), price("claude-opus-5", 3), price("claude-opus-5", 4, DAY),
     price("my[1]*", 5)],
    [price("claude-opus-5", 8), price("claude-haiku-5", 9), price("gpt-6", 7)],
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "day", "amount"),
    [
        ("claude-sonnet-9", DAY, 1),
        ("claude-opus-9", DAY, 2),
        ("claude-opus-5", date(2026, 11, 19), 3),
        ("claude-opus-5", DAY, 4),
        ("anthropic/claude-opus-5-20260801", DAY, 4),
        ("CLAUDE-OPUS-5", DAY, 4),
        ("claude-haiku-5", DAY, 1),  # our own before what is built in
        ("gpt-6", DAY, 7),
        ("my[1]-model", DAY, 5),
        ("gpt-6.5", DAY, None),
        ("", DAY, None),
    ],
)
def test_most_exact_pattern_holds_then_the_newest(model, day, amount):
    found = TABLE.price(model, day)

    assert (found.input if found else None) == amount


def test_published_prices_keep_the_providers_proportions():
    for each in PUBLISHED:
        assert each.cache_write == 1.25 * each.input, each
        assert each.output == 5 * each.input, each
        assert each.cache_read < each.input, each


def test_no_published_price_is_for_more_than_one_model():
    assert not any("*" in each.pattern for each in PUBLISHED)
    assert PriceTable([], PUBLISHED).price("claude-opus-4-9", DAY) is None
    assert PriceTable([], PUBLISHED).price("claude-haiku-6", DAY) is None


# --- put together -----------------------------------------------------------------------------------------------------

OPUS = Price("claude-opus-5", 5, 0.5, 6.25, 25)
SUMS = Sums(
    calls=3, input_tokens=1_000_000, cache_read_tokens=2_000_000, cache_write_tokens=400_000, output_tokens=100_000,
    freed_input_tokens=200_000, freed_read_tokens=6_000_000, compactions=1, summary_input_tokens=150_000,
    summary_output_tokens=4_000,
)  # fmt: skip


def savings(sums=SUMS, *, model="claude-opus-5"):
    return savings_of([(model, DAY, sums)], PriceTable([OPUS]))


def test_savings_by_hand():
    found = savings()

    assert found.billed == 3_400_000 + 150_000
    assert found.would == found.at_least == 3_400_000 + 6_200_000
    assert found.saved == 6_050_000
    assert found.saved_share == pytest.approx(6_050_000 / 9_600_000)
    turns = 5 + 1 + 2.5 + 2.5
    assert found.cost == pytest.approx(turns + 0.75 + 0.1)
    assert found.would_cost == pytest.approx(turns + 1 + 3)
    assert found.saved_cost == pytest.approx(3.15)
    assert found.is_certain


@pytest.mark.parametrize(
    ("changed", "would", "cost", "certain"),
    [
        ({"uncertain_calls": 1}, None, True, False),
        ({"unknown_calls": 1}, None, False, False),
        ({"partial_calls": 1}, 9_600_000, False, True),
        ({"unpriced_compactions": 1}, 9_600_000, True, False),
    ],
)
def test_savings_say_what_is_not_known(changed, would, cost, certain):
    sums = Sums(*SUMS.values())
    for name, value in changed.items():
        setattr(sums, name, value)

    found = savings(sums)

    assert (found.would, found.cost is not None, found.is_certain) == (would, cost, certain)
    assert found.at_least == 9_600_000


def test_savings_of_a_model_without_a_price_have_no_cost_and_name_it():
    found = savings_of([("claude-opus-5", DAY, SUMS), ("gpt-6", DAY, SUMS)], PriceTable([OPUS]))

    assert (found.cost, found.would_cost, found.saved_cost, found.unpriced) == (None, None, None, ("gpt-6",))
    assert found.billed == 2 * 3_550_000


def test_savings_may_be_less_than_nothing():
    found = savings(Sums(calls=1, input_tokens=10, compactions=1, summary_input_tokens=500))

    assert found.saved == -500


def test_savings_of_nothing():
    found = savings_of([], PriceTable([]))

    assert (found.billed, found.would, found.saved_share, found.cost) == (0, 0, None, 0)
