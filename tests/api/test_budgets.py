import pytest

from conversations.models import AgentDay, Budget, ConversationDay
from tests.api.reading import Reader
from tests.factories import START, create_agent, create_conversation
from tests.spending.rows import create_budget, create_price, spend

STATUS = "/budgets/status"


@pytest.fixture(params=["read", "ingest"])
def reader(client, acme, request):
    return Reader(client, acme, (request.param,))


def test_status_of_a_conversation(reader, acme):
    conversation = create_conversation(acme, agent="coder", external_id="c1")
    spend(conversation, input_tokens=2_000_000, output_tokens=411_000)
    budget = create_budget(acme, limit=3_000_000)

    status = reader.json(f"{STATUS}?conversation=c1")

    words = "2,411,000 of 3,000,000 tokens of the budget “Tokens” are used (80 %)."
    assert status == {
        "state": "warn",
        "message": words,
        "decided_by": budget.pk,
        "reason": "“Tokens” warns at 80 %; it is the only budget.",
        "budgets": [
            {"id": budget.pk, "name": "Tokens", "scope": "conversation", "metric": "total_tokens", "period": "life",
             "limit": 3_000_000, "used": 2_411_000, "warn_at": 2_400_000, "warn_levels": [2_400_000], "state": "warn",
             "message": words, "window_start": None, "resets_at": None, "override": None},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "query", "used"),
    [
        ({"scope": "conversation"}, "conversation=c1", 100),
        ({"scope": "conversation"}, "conversation=new", 0),
        ({"scope": "conversation"}, "agent=coder", None),
        ({"scope": "conversation", "agent_name": "coder"}, "conversation=c1", 100),
        ({"scope": "conversation", "agent_name": "other"}, "conversation=c1", None),
        ({"scope": "conversation", "agent_name": "other"}, "conversation=c1&agent=other", 100),
        ({"scope": "agent"}, "agent=coder", 320),
        ({"scope": "agent"}, "conversation=c1", 320),
        ({"scope": "agent"}, "agent=new", 0),
        ({"scope": "agent"}, "", None),
        ({"scope": "workspace"}, "", 4320),
        ({"scope": "workspace"}, "agent=coder&conversation=c1", 4320),
    ],
)
def test_budget_counts_what_it_is_for(reader, acme, globex, budget, query, used):
    one, two = create_agent(acme, "coder", "1"), create_agent(acme, "coder", "2")
    spend(create_conversation(acme, agent=one, external_id="c1"), input_tokens=100)
    spend(create_conversation(acme, agent=one, external_id="c2"), input_tokens=20)
    spend(create_conversation(acme, agent=two, external_id="c3"), output_tokens=200)
    spend(create_conversation(acme, agent="support", external_id="c4"), cache_read_tokens=4000)
    spend(create_conversation(globex, agent="coder", external_id="c1"), input_tokens=10**9)
    create_budget(acme, **budget)

    standings = reader.json(f"{STATUS}?{query}")["budgets"]

    assert [each["used"] for each in standings] == ([] if used is None else [used])


def test_the_worst_budget_says_what_to_do(reader, acme):
    spend(create_conversation(acme, external_id="c"), input_tokens=100, calls=3)
    create_budget(acme, name="a", limit=50, action="tell")
    create_budget(acme, name="b", limit=90, action="wrap_up", message="Finish now, {used} are used.")
    create_budget(acme, name="c", limit=3, metric="requests", action="tell")
    create_budget(acme, name="d", limit=10**9, action="block")

    status = reader.json(f"{STATUS}?conversation=c")

    assert (status["state"], status["message"]) == ("wrap_up", "Finish now, 100 are used.")
    assert [each["state"] for each in status["budgets"]] == ["warn", "wrap_up", "warn", "ok"]


def test_cost_by_the_workspaces_prices(reader, acme):
    conversation = create_conversation(acme, external_id="c")
    spend(conversation, model="our-model", input_tokens=500_000)
    create_budget(acme, metric="cost", limit=2)

    unknown = reader.json(f"{STATUS}?conversation=c")
    create_price(acme)
    known = reader.json(f"{STATUS}?conversation=c")

    assert (unknown["state"], unknown["budgets"][0]["used"]) == ("ok", None)
    assert (known["state"], known["budgets"][0]["used"]) == ("ok", 1.5)


def test_answer_is_304_while_nothing_changed(reader, acme):
    conversation = create_conversation(acme, external_id="c")
    spend(conversation, input_tokens=100)
    create_budget(acme)
    path = f"{STATUS}?conversation=c"
    tag = reader.get(path).headers["ETag"]

    same = reader.get(path, **{"If-None-Match": tag})
    spend(conversation, input_tokens=1, model="another")
    other = reader.get(path, **{"If-None-Match": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert other.status_code == 200


def test_unknown_parameter_is_refused(reader):
    assert reader.get(f"{STATUS}?conversations=c").status_code == 422


def test_nobody_asks_without_a_key(client, acme):
    assert client.get(f"/api/v1{STATUS}").status_code == 401


@pytest.mark.parametrize("rows", [1, 5])
def test_status_asks_as_much_for_any_number_of_budgets(client, acme, rows, django_assert_num_queries):
    spend(create_conversation(acme, agent="coder", external_id="c"), input_tokens=100)
    for number in range(rows):
        create_budget(acme, name=str(number))
    reader = Reader(client, acme, ("ingest",))
    reader.get(STATUS)  # notes when the key was used

    with django_assert_num_queries(3):  # key and version, who asks, sums
        status = reader.json(f"{STATUS}?conversation=c")
    with django_assert_num_queries(1):  # key and version
        again = reader.json(f"{STATUS}?conversation=c")

    assert len(status["budgets"]) == rows
    assert again == status


def test_rows_of_this_test_are_consistent(acme):
    spend(create_conversation(acme, agent="coder"), input_tokens=7)

    assert ConversationDay.objects.get().input_tokens == AgentDay.objects.get().input_tokens == 7
    assert ConversationDay.objects.get().day == START.date()
    assert not Budget.objects.exists()
