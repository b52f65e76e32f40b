import pytest

from tests.api.reading import Reader
from tests.factories import create_conversation
from tests.spending.rows import spend


@pytest.fixture
def reader(client, acme):
    return Reader(client, acme)


@pytest.fixture
def coder(acme, globex):
    spend(create_conversation(globex, agent="coder"), input_tokens=10**9)
    spend(create_conversation(acme, agent="support"), model="gpt-6", input_tokens=300, output_tokens=1)
    conversation = create_conversation(acme, agent="coder")
    spend(
        conversation, calls=10, input_tokens=1_000_000, output_tokens=1000, freed_input_tokens=3_000_000, compactions=1,
        summary_input_tokens=200_000, summary_output_tokens=2000,
    )  # fmt: skip
    return conversation


def test_savings_of_a_conversation(reader, coder):
    body = reader.json(f"/conversations/{coder.pk}/savings")

    found = body["savings"]
    assert (found["billed_input_tokens"], found["would_input_tokens"]) == (1_200_000, 4_000_000)
    assert (found["saved_input_tokens"], found["saved_share"]) == (2_800_000, 0.7)
    assert found["cost_usd"] == pytest.approx(5 + 0.025 + 1 + 0.05)
    assert found["would_cost_usd"] == pytest.approx(20.025)
    assert (found["unpriced_models"], found["sums"]["compactions"]) == ([], 1)
    assert body["context_window"] == 1_000_000


def test_savings_of_the_workspace_and_its_agents(reader, coder):
    body = reader.json("/savings")

    assert body["savings"]["billed_input_tokens"] == 1_200_300
    assert (body["savings"]["cost_usd"], body["savings"]["unpriced_models"]) == (None, ["gpt-6"])
    assert [(row["agent"], row["savings"]["billed_input_tokens"]) for row in body["agents"]] == [
        ("coder", 1_200_000), ("support", 300),
    ]  # fmt: skip


def test_savings_since_a_day(reader, coder):
    assert reader.json("/savings?since=2026-11-20")["savings"]["billed_input_tokens"] == 1_200_300
    assert reader.json("/savings?since=2026-11-21")["savings"]["billed_input_tokens"] == 0
    assert reader.get("/savings?since=yesterday").status_code == 422


def test_savings_of_another_workspace_do_not_exist(client, globex, coder):
    assert Reader(client, globex).get(f"/conversations/{coder.pk}/savings").status_code == 404
