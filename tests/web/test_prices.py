import pytest

from conversations.models import ModelPrice
from tests.factories import create_conversation
from tests.spending.rows import create_price, spend

PAGE = "/w/acme/settings/prices/"
FORM = {
    "pattern": "gpt-6*", "since": "2026-09-22", "input_usd": "2", "cache_read_usd": "0.2", "cache_write_usd": "2.5",
    "output_usd": "10", "window": "400000",
}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        create_price(acme, pattern=f"model-{number}", created_by=alice.user)

    with django_assert_num_queries(6):
        response = alice.get(PAGE)

    assert len(response.context["prices"]) == rows


def test_price_is_added_and_deleted(alice, acme):
    response = alice.post(PAGE, FORM)
    row = ModelPrice.objects.get()

    assert response.status_code == 302
    assert (row.workspace, row.created_by, row.pattern, str(row.since)) == (acme, alice.user, "gpt-6*", "2026-09-22")
    assert (float(row.cache_read_usd), row.window) == (0.2, 400_000)
    assert "gpt-6*" in alice.get(PAGE).content.decode()

    alice.post(f"{PAGE}{row.pk}/delete/")

    assert not ModelPrice.objects.exists()


@pytest.mark.parametrize("since", ["2026-09-22", ""])
def test_history_has_one_price_a_day(alice, since):
    first = alice.post(PAGE, {**FORM, "since": since})
    same = alice.post(PAGE, {**FORM, "since": since})
    later = alice.post(PAGE, {**FORM, "since": "2026-10-01"})

    assert (first.status_code, same.status_code, later.status_code) == (302, 422, 302)
    assert list(same.context["form"].errors) == ["since"]
    assert ModelPrice.objects.count() == 2


@pytest.mark.parametrize(
    "changed", [{"pattern": ""}, {"input_usd": "-1"}, {"output_usd": ""}, {"since": "soon"}, {"window": "0"}]
)
def test_form_says_what_is_wrong(alice, changed):
    response = alice.post(PAGE, {**FORM, **changed})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == list(changed)
    assert not ModelPrice.objects.exists()


def test_others_read_and_change_nothing(bob, acme):
    row = create_price(acme)

    page = bob.get(PAGE).content.decode()

    assert "our-*" in page
    assert "Add a price" not in page
    assert (bob.post(PAGE, FORM).status_code, bob.post(f"{PAGE}{row.pk}/delete/").status_code) == (403, 403)
    assert ModelPrice.objects.count() == 1


def test_page_names_models_that_were_used_and_have_no_price(alice, acme):
    spend(create_conversation(acme), model="gpt-6-sol", input_tokens=5)
    spend(create_conversation(acme), model="claude-opus-5", input_tokens=5)

    assert alice.get(PAGE).context["unpriced"] == ("gpt-6-sol",)
    alice.post(PAGE, {**FORM, "since": "2026-11-21"})
    assert alice.get(PAGE).context["unpriced"] == ("gpt-6-sol",)  # used before the price holds
    alice.post(PAGE, {**FORM, "since": ""})
    assert alice.get(PAGE).context["unpriced"] == ()


def test_page_says_where_built_in_prices_are_from(alice):
    page = alice.get(PAGE).content.decode()

    assert "platform.claude.com/docs/en/about-claude/pricing, taken on 22 November 2026" in page
    assert "claude-sonnet-5-5" in page


def test_a_price_that_changed_is_a_new_row_that_begins_as_the_old_one(alice, acme, globex):
    price = create_price(acme, input_usd="3.5")

    form = alice.get(f"/w/acme/settings/prices/?copy={price.pk}").context["form"]

    assert (form["pattern"].value(), form["input_usd"].value()) == ("our-*", "3.5")
    assert not form["window"].value()
    assert form["since"].value() is not None
    assert alice.get(f"/w/acme/settings/prices/?copy={create_price(globex).pk}").status_code == 404
    assert not alice.get("/w/acme/settings/prices/?copy=x").context["form"]["pattern"].value()
