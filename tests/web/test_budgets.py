import pytest

from conversations.models import Budget
from tests.factories import create_agent, create_conversation
from tests.spending.rows import create_budget, create_price, spend

LIST = "/w/acme/budgets/"
FORM = {
    "name": "Three million", "scope": "conversation", "agent_name": "coder", "limit": "3000000",
    "metric": "total_tokens", "warn_percent": "80", "action": "wrap_up", "message": "Finish: {used} of {limit}.",
}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        spend(create_conversation(acme, agent=create_agent(acme, str(number))), input_tokens=500)
        for scope in ("conversation", "agent", "workspace"):
            create_budget(acme, name=f"{scope} {number}", scope=scope)

    with django_assert_num_queries(11):
        response = alice.get(LIST)

    assert len(response.context["overviews"]) == 3 * rows


def test_list_shows_who_has_used_most(alice, acme):
    spend(create_conversation(acme, agent="coder", title="Long one"), input_tokens=900)
    spend(create_conversation(acme, agent="coder"), input_tokens=200)
    spend(create_conversation(acme, agent="support"), input_tokens=950)
    for scope, name in (("conversation", "coder"), ("agent", ""), ("workspace", "")):
        create_budget(acme, name=scope, scope=scope, agent_name=name)

    found = {each.budget.name: each for each in alice.get(LIST).context["overviews"]}

    assert {name: (each.standing.used, str(each.who)) for name, each in found.items()} == {
        "conversation": (900, "Long one"),
        "agent": (1100, "coder"),
        "workspace": (2050, "None"),
    }
    assert found["workspace"].standing.percent == 205


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"limit": 1000}, "✓ ok"),
        ({"limit": 550}, "≈ near the limit"),
        ({"limit": 500}, "✕ wrap up"),
        ({"limit": 500, "action": "block"}, "✕ block"),
        ({"limit": 500, "action": "tell"}, "✕ used up"),
        ({"limit": 5, "metric": "cost"}, "? not known"),
    ],
)
def test_list_says_how_a_budget_stands(alice, acme, budget, words):
    spend(create_conversation(acme), model="our-model", input_tokens=500)
    create_budget(acme, **budget)

    assert words in alice.get(LIST).content.decode()


def test_list_counts_cost_by_own_prices(alice, acme):
    spend(create_conversation(acme), model="our-model", input_tokens=500_000)
    create_budget(acme, metric="cost", limit="12.5")
    create_price(acme)

    page = alice.get(LIST).content.decode()

    assert "$1.50" in page
    assert "$12.50" in page


def test_empty_list_offers_to_make_one_only_to_who_may(alice, bob):
    assert "Make a budget" in alice.get(LIST).content.decode()
    assert "Make a budget" not in bob.get(LIST).content.decode()


def test_budget_is_made_changed_and_deleted(alice, acme):
    made = alice.post(f"{LIST}new/", FORM)
    budget = Budget.objects.get()
    changed = alice.post(f"{LIST}{budget.pk}/", {**FORM, "limit": "5000000", "message": ""})
    budget.refresh_from_db()

    assert (made.status_code, changed.status_code) == (302, 302)
    assert (budget.workspace, budget.created_by, budget.name) == (acme, alice.user, "Three million")
    assert (budget.limit, budget.message, budget.agent_name) == (5_000_000, "", "coder")

    alice.post(f"{LIST}{budget.pk}/delete/")

    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Taken"}, "name"),
        ({"limit": "0"}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"warn_percent": "0"}, "warn_percent"),
        ({"warn_percent": "101"}, "warn_percent"),
        ({"scope": "galaxy"}, "scope"),
        ({"metric": "joy"}, "metric"),
        ({"action": "explode"}, "action"),
        ({"scope": "workspace"}, "agent_name"),
        ({"message": "You have {left}."}, "message"),
    ],
)
def test_form_says_what_is_wrong(alice, acme, changed, field):
    create_budget(acme, name="Taken")

    response = alice.post(f"{LIST}new/", {**FORM, **changed})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Budget.objects.count() == 1


def test_name_may_be_taken_in_another_workspace(alice, globex):
    create_budget(globex, name="Three million")

    assert alice.post(f"{LIST}new/", FORM).status_code == 302


@pytest.mark.parametrize("path", ["new/", "{pk}/", "{pk}/delete/"])
def test_reviewers_change_nothing(bob, acme, path):
    budget = create_budget(acme)

    assert bob.post(LIST + path.format(pk=budget.pk), FORM).status_code == 403
    assert Budget.objects.get().name == "Tokens"
