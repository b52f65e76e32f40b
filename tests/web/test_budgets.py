from datetime import UTC, datetime, timedelta

import pytest

from conversations.models import Budget, BudgetChannel, BudgetEvent
from tests.alerts.telling import create_channel
from tests.factories import START, create_agent, create_conversation, create_request
from tests.spending.rows import create_budget, create_override, create_price, spend

LIST = "/w/acme/budgets/"
DAY = timedelta(days=1)
PAGE_QUERIES = 12
FORM = {
    "name": "Three million", "scope": "conversation", "agent_name": "coder", "limit": "3000000",
    "metric": "total_tokens", "period": "life", "warnings": "80", "action": "wrap_up",
    "message": "Finish: {used} of {limit}.",
}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        spend(create_conversation(acme, agent=create_agent(acme, str(number))), input_tokens=500)
        for scope in ("conversation", "agent", "workspace"):
            create_budget(acme, name=f"{scope} {number}", scope=scope)

    with django_assert_num_queries(10):
        response = alice.get(LIST)

    assert len(response.context["rows"]) == 3 * rows


def test_list_shows_who_has_used_most(alice, acme):
    spend(create_conversation(acme, agent="coder", title="Long one"), input_tokens=900)
    spend(create_conversation(acme, agent="coder"), input_tokens=200)
    spend(create_conversation(acme, agent="support"), input_tokens=950)
    for scope, name in (("conversation", "coder"), ("agent", ""), ("workspace", "")):
        create_budget(acme, name=scope, scope=scope, agent_name=name)

    found = {each.standing.rule.name: each for each, _ in alice.get(LIST).context["rows"]}

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
    changed = alice.post(f"{LIST}{budget.pk}/edit/", {**FORM, "limit": "5000000", "message": ""})
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
        ({"warnings": "0"}, "warnings"),
        ({"warnings": "50, 101"}, "warnings"),
        ({"warnings": "a few"}, "warnings"),
        ({"warnings": "10 20 30 40 50 60"}, "warnings"),
        ({"period": "eon"}, "period"),
        ({"period": "rolling"}, "rolling_count"),
        ({"period": "rolling", "rolling_count": "400", "rolling_unit": "24"}, "rolling_count"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"agent_version": "2"}, "agent_version"),
        ({"scope": "agent", "conversation_name": "c"}, "conversation_name"),
        ({"scope": "agent_version", "agent_version": "2", "agent_name": ""}, "agent_name"),
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


@pytest.mark.parametrize("path", ["new/", "{pk}/edit/", "{pk}/override/", "{pk}/delete/"])
def test_reviewers_change_nothing(bob, acme, path):
    budget = create_budget(acme)

    assert bob.post(LIST + path.format(pk=budget.pk), FORM).status_code == 403
    assert Budget.objects.get().name == "Tokens"


# --- one budget -------------------------------------------------------------------------------------------------------


def page(budget):
    return f"{LIST}{budget.pk}/"


def this_day(hour=0):
    return datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_max_num_queries):
    budget = create_budget(acme, period="day", warn_percents=[50], limit=10)
    for number in range(rows):
        spend(create_conversation(acme, external_id=str(number)), slot=this_day(), input_tokens=20)
        create_override(budget, conversation_name=str(number))

    with django_assert_max_num_queries(PAGE_QUERIES) as found:
        response = alice.get(page(budget))

    assert response.status_code == 200
    assert len(found) == PAGE_QUERIES


def test_page_tells_of_windows_events_and_overrides(alice, acme):
    budget = create_budget(acme, scope="agent", period="day", limit=100, warn_percents=[50])
    conversation = create_conversation(acme, agent="coder", external_id="c")
    for days, tokens in ((3, 60), (2, 120), (1, 10)):
        spend(conversation, slot=this_day(12) - timedelta(days=days), input_tokens=tokens)
    spend(conversation, slot=this_day(), input_tokens=5)
    create_override(budget, agent_name="coder", expires_at=this_day() + timedelta(days=9), reason="The end is near.")

    response = alice.get(page(budget))
    words = response.content.decode()
    shown, history = response.context["shown"], response.context["history"]

    assert (shown.warned, shown.full, shown.most.used) == (2, 1, 120)
    assert [each.used for _, each in history.rows][-4:] == [60, 120, 10, 5]
    assert "tokens a day" in words
    assert "The end is near." in words
    assert response.context["overview"].standing.limit == 5000


def test_override_is_made_and_ended_by_admins(alice, acme):
    budget = create_budget(acme)

    made = alice.post(f"{page(budget)}override/", {
        "limit": "5000000", "hours": "24", "reason": "This run is nearly done.", "conversation_name": "c",
        "agent_name": "",
    })  # fmt: skip
    override = budget.overrides.get()
    ended = alice.post(f"{LIST}overrides/{override.pk}/end/")
    override.refresh_from_db()

    assert (made.status_code, ended.status_code) == (302, 302)
    assert (override.limit, override.conversation_name, override.created_by) == (5_000_000, "c", alice.user)
    assert override.ended_at is not None
    assert {each.action for each in acme.activities.all()} == {"budget.overridden", "budget.override_ended"}


def test_override_needs_a_reason(alice, acme):
    budget = create_budget(acme)

    response = alice.post(f"{page(budget)}override/", {"limit": "5", "hours": "24", "reason": " "})

    assert (response.status_code, list(response.context["form"].errors)) == (422, ["reason"])
    assert not budget.overrides.exists()


def test_override_may_name_a_tag(alice, acme):
    budget = create_budget(acme)
    filled = {"limit": "5", "hours": "24", "reason": "A long night.", "conversation_name": "", "agent_name": ""}

    refused = alice.post(f"{page(budget)}override/", {**filled, "tag_name": "one, two"})
    alice.post(f"{page(budget)}override/", {**filled, "tag_name": " Nightly  RUN"})

    assert list(refused.context["form"].errors) == ["tag_name"]
    assert budget.overrides.get().tag_name == "nightly run"
    assert "tagged nightly run" in alice.get(page(budget)).content.decode()


# --- the preview ------------------------------------------------------------------------------------------------------


def test_preview_is_what_the_page_says_of_the_same_time(alice, acme):
    spend(
        create_conversation(acme, agent="coder", external_id="long"), slot=this_day(3) - 3 * DAY, input_tokens=4_000_000
    )
    spend(create_conversation(acme, agent="coder", external_id="short"), slot=this_day(3) - 2 * DAY, input_tokens=1000)
    spend(create_conversation(acme, agent="other", external_id="more"), slot=this_day(3) - 2 * DAY, input_tokens=10**8)

    preview = alice.get(f"{LIST}new/", FORM, headers={"HX-Request": "true"})
    alice.post(f"{LIST}new/", FORM)
    saved = alice.get(page(Budget.objects.get()))

    found = preview.context["shown"]
    assert (found.full, found.askers, [str(case.who.external_id) for case in found.rows]) == (1, 2, ["long"])
    assert [case.passed for case in found.rows] == [case.passed for case in saved.context["shown"].rows]
    assert "<html" not in preview.content.decode()


def test_preview_tells_a_wrong_name_from_a_budget_that_holds(alice, acme):
    spend(create_conversation(acme, agent="coder", external_id="c"), slot=this_day(3) - DAY, input_tokens=100)

    misspelt = alice.get(f"{LIST}new/", {**FORM, "agent_name": "codre"}).content.decode()
    holds = alice.get(f"{LIST}new/", FORM).content.decode()

    assert "is the name written as in the data?" in misspelt
    assert "Nothing would have happened" in holds


def test_preview_says_what_is_missing(alice):
    words = alice.get(f"{LIST}new/", {**FORM, "limit": ""}).content.decode()

    assert "Give the budget what it needs" in words


# --- on the conversation's page ---------------------------------------------------------------------------------------


def test_conversation_tells_what_happened_and_what_came_after(alice, acme):
    conversation = create_conversation(acme, external_id="c")
    budget = create_budget(acme)
    for number in range(3):
        create_request(conversation, position=number, input_tokens=100)
    BudgetEvent.objects.create(
        workspace=acme, budget=budget, budget_name="Tokens", kind="wrap_up_injected", conversation_name="c",
        at=START, used=1000, limit=900, message="Please finish.", external_id="e1",
    )  # fmt: skip

    words = " ".join(alice.get(f"/w/acme/conversations/{conversation.pk}/").content.decode().split())

    assert "the agent was given the message to wrap up, 1,000 of 900 used" in words
    assert "after it 2 requests with" in words
    assert "“Please finish.”" in words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (None, "Told by pager."),
        (60, "Told by pager, and again every hour until somebody acknowledges it."),
        (240, "again every 4 hours until"),
        (1440, "again every day until"),
        (10_080, "again every 7 days until"),
    ],
)
def test_page_says_who_is_told_and_how_often(victor, acme, minutes, words):
    budget = create_budget(acme, remind_minutes=minutes)
    BudgetChannel.objects.create(workspace=acme, budget=budget, channel=create_channel(acme, name="pager"))

    assert words in victor.get(f"{LIST}{budget.pk}/").content.decode()
