"""Query sets whose SQL is made once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from conversations.models import Conversation, User, Workspace
from conversations.models.prepared import IsOneOf, Prepared

pytestmark = pytest.mark.django_db
THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create_user(f"{name}@example.org", name=name) for name in ("ada", "bo", "cy")]


def test_each_call_asks_with_its_own_values(people: list[User]) -> None:
    named = Prepared(_named)
    assert [list(named(name=each.name, key=each.pk)) for each in people] == [[each] for each in people]
    assert list(named(name="ada", key=people[1].pk)) == []


def _named(name: str, key: int) -> "QuerySet[User]":
    return User.objects.filter(name=name, pk=key)


def test_the_query_is_made_once(people: list[User]) -> None:
    made = []

    def known(key: int) -> "QuerySet[User]":
        made.append(key)
        return User.objects.filter(pk=key)

    prepared = Prepared(known)
    for each in people:
        assert next(iter(prepared(key=each.pk))) == each
    assert len(made) == 1


def test_times_text_and_lists_are_parameters(people: list[User]) -> None:
    User.objects.filter(pk=people[0].pk).update(joined_at=THEN)

    def early(at: datetime, keys: list[int]) -> "QuerySet[User]":
        return User.objects.filter(IsOneOf("pk", keys), joined_at__lt=at)

    prepared = Prepared(early)
    keys = [each.pk for each in people]
    assert list(prepared(at=THEN + timedelta(microseconds=1), keys=keys)) == [people[0]]
    assert list(prepared(at=THEN, keys=keys)) == []
    assert list(prepared(at=THEN + timedelta(seconds=1), keys=keys[1:])) == []
    assert list(prepared(at=THEN + timedelta(seconds=1), keys=[])) == []


def test_related_rows_annotations_and_values_come_as_django_gives_them(acme: Workspace) -> None:
    row = Conversation.objects.create(workspace=acme, source="events", external_id="c", last_at=THEN)

    def of(workspace: int) -> "QuerySet[Conversation]":
        return Conversation.objects.filter(workspace=workspace).select_related("workspace")

    def ids(workspace: int) -> "QuerySet[Conversation, Any]":
        return Conversation.objects.filter(workspace=workspace).values_list("pk", "external_id")[:1]

    [found] = Prepared(of)(workspace=acme.pk)
    assert (found, found.workspace, found.last_at) == (row, acme, THEN)
    values: list[Any] = list(Prepared(ids)(workspace=acme.pk))
    assert values == [(row.pk, "c")]


def test_one_query_a_call(people: list[User], django_assert_num_queries: Any) -> None:
    named = Prepared(_named)
    with django_assert_num_queries(2):
        list(named(name="ada", key=1))
        list(named(name="bo", key=2))


def test_a_parameter_that_the_query_does_not_ask_for_is_an_error() -> None:
    def all_of(key: int) -> "QuerySet[User]":
        return User.objects.all()

    with pytest.raises(ValueError, match="does not ask for key"):
        Prepared(all_of)(key=1)
