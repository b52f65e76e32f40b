import pytest

from conversations.models import ApiKey
from tests.factories import create_api_key

PAGE = "/w/acme/settings/api-keys/"


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        create_api_key(acme, created_by=alice.user)

    with django_assert_num_queries(4):
        response = alice.get(PAGE)

    assert len(response.context["keys"]) == rows


def test_new_key_is_shown_once(alice):
    response = alice.post(PAGE, {"name": "agents", "scopes": ["ingest"]})

    row = ApiKey.objects.get()
    key = response.context["key"]
    assert (row.name, row.scopes, row.created_by) == ("agents", ["ingest"], alice.user)
    assert key in response.content.decode()
    assert key not in alice.get(PAGE).content.decode()
    assert row.prefix in alice.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "form", [{"name": "", "scopes": ["ingest"]}, {"name": "x"}, {"name": "x", "scopes": ["admin"]}]
)
def test_key_needs_a_name_and_known_scopes(alice, form):
    assert alice.post(PAGE, form).status_code == 422
    assert not ApiKey.objects.exists()


def test_revoked_key_opens_nothing(alice, acme):
    row, _ = create_api_key(acme)

    alice.post(f"{PAGE}{row.pk}/revoke/")

    assert not ApiKey.objects.usable().exists()
    assert "revoked" in alice.get(PAGE).content.decode()


def test_page_is_not_kept_by_caches(alice):
    assert "no-store" in alice.get(PAGE).headers["Cache-Control"]
