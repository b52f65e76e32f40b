from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.formats.anthropic_usage import calls_of
from conversations.ingest.formats.claude_usage import usage_of as usage_of_claude_code
from conversations.ingest.formats.openai_usage import usage_of as usage_of_openai
from conversations.spending.prices import Price, PriceTable
from conversations.spending.published import PUBLISHED
from conversations.spending.savings import savings_of
from conversations.spending.tally import Call, Run, Usage, count
from conversations.spending.terms import LENGTHS, TIERS, Terms, billed_as, terms_of, tier_of

DAY = date(2026, 11, 20)
SLOT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "speed", "tier"),
    [
        ("standard", None, "standard"), ("default", None, "standard"), ("auto", None, "standard"),
        ("BATCH", None, "batch"), ("priority", "standard", "priority"), ("standard", "fast", "fast"),
        (None, "fast", "fast"), (None, None, ""), ("", None, ""), (7, None, ""), ("a tier", None, ""),
        ("x" * 21, None, ""),
    ],
)  # fmt: skip
def test_tiers_as_providers_tell_them(said, speed, tier):
    assert tier_of(said, speed) == tier


@pytest.mark.parametrize(
    ("tier", "context", "billed"),
    [
        ("standard", 1000, "m"), ("", None, "m"), ("", 100_000, "m"), ("", 100_001, "m · over 100000"),
        ("batch", 5, "m · batch"), ("priority", 250_000, "m · priority · over 200000"),
    ],
)  # fmt: skip
def test_what_a_call_is_billed_as(tier, context, billed):
    assert billed_as("m", tier, context) == billed


@given(
    st.from_regex(r"[a-zA-Z0-9./:@\[\]_-]{0,160}", fullmatch=True),
    st.sampled_from(list(TIERS)),
    st.sampled_from([0, *LENGTHS]),
)
def test_terms_are_read_as_they_were_written(model, tier, over):
    terms = Terms(model, tier, over)
    assert terms_of(str(terms)) == terms
    assert len(str(terms)) <= 200


@given(st.text(max_size=200), st.sampled_from(["", "standard"]))
def test_an_ordinary_call_is_billed_as_its_model(model, tier):
    assert billed_as(model, tier, 1) == model


TABLE = PriceTable(
    [
        Price("m", 1, 1, 1, 1),
        Price("m", 2, 2, 2, 2, over=200_000),
        Price("m", 0.5, 0.5, 0.5, 0.5, tier="batch"),
        Price("m", 3, 3, 3, 3, over=200_000, since=date(2026, 11, 21)),
    ],
    [Price("m", 9, 9, 9, 9, tier="priority"), Price("n", 9, 9, 9, 9)],
)


@pytest.mark.parametrize(
    ("billed", "day", "rate"),
    [
        ("m", DAY, 1), ("m · over 100000", DAY, 1), ("m · over 200000", DAY, 2), ("m · over 272000", DAY, 2),
        ("m · over 200000", date(2026, 11, 21), 3), ("m · batch", DAY, 0.5), ("m · batch · over 200000", DAY, 0.5),
        ("m · priority", DAY, 9), ("m · flex", DAY, None), ("n · batch", DAY, None), ("n · over 200000", DAY, 9),
    ],
)  # fmt: skip
def test_the_price_of_what_a_call_is_billed_as(billed, day, rate):
    price = TABLE.price(billed, day)
    assert (price and price.input) == rate


def test_published_terms():
    table = PriceTable([], PUBLISHED)
    opus, batch = table.price("claude-opus-5", DAY), table.price("claude-opus-5 · batch", DAY)
    haiku = [table.price(billed_as("claude-haiku-5-5", "", context), DAY).input for context in (100_000, 100_001)]
    assert (opus.for_an_hour, batch.input, batch.output, batch.for_an_hour) == (10, 2.5, 12.5, 5)
    assert haiku == [0.1, 0.5]
    assert table.price("claude-opus-5 · priority", DAY) is None


def costs(*calls, table):
    tally = count(Run(), calls, [])
    return savings_of([(model, when.date(), sums) for (model, when), sums in tally.sums.items()], table)


def call(number, *, written_1h=None, tier="", plain=1_000_000, written=0, context=1, purpose="turn"):
    usage = Usage(plain, 0, written, 0)
    return Call(number, SLOT, "m", purpose, usage, context, written_1h, tier)


def test_costs_by_tier_and_length_add_up():
    found = costs(
        call(1), call(2, tier="standard"), call(3, tier="batch"), call(4, context=200_001), table=TABLE,
    )  # fmt: skip
    assert found.cost == 1 + 1 + 0.5 + 2
    assert (found.sums.calls, found.untold_calls) == (4, 2)


def test_writes_for_an_hour_have_their_own_price():
    table = PriceTable([Price("m", 0, 0, 1, 0, cache_write_1h=2)])
    found = costs(
        call(1, plain=0, written=3_000_000, written_1h=1_000_000), call(2, plain=0, written=1_000_000),
        call(3, plain=0, written=1_000_000, written_1h=9_000_000, purpose="compaction"), table=table,
    )  # fmt: skip
    assert found.cost == (2 + 2) + 1 + 2
    assert (
        costs(call(1, plain=0, written=10**6, written_1h=10**6), table=PriceTable([Price("m", 0, 0, 1, 0)])).cost == 1
    )


def test_a_tier_without_a_price_has_no_cost_and_is_named():
    found = costs(call(1), call(2, tier="flex"), table=TABLE)
    assert (found.cost, found.unpriced) == (None, ("m · flex",))


CREATION = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 7}


def test_what_usages_tell():
    told = {"input_tokens": 1, "cache_creation_input_tokens": 12, "cache_creation": CREATION, "service_tier": "batch"}
    [plain] = calls_of(told, "m")
    summary, turn = calls_of({**told, "iterations": [{"type": "compaction"}, {**told, "type": "message"}]}, "m")

    assert (plain.usage.cache_write_1h_tokens, plain.usage.service_tier) == (7, "batch")
    assert (summary.usage.service_tier, summary.usage.cache_write_1h_tokens) == ("batch", None)
    assert turn.usage == plain.usage
    assert usage_of_claude_code(told, "2.1.100").cache_write_1h_tokens == 7
    assert usage_of_openai({"input_tokens": 1}, "flex").service_tier == "flex"
