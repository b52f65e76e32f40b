"""Query sets whose SQL is made once: for questions that every request asks, with other values each time.

Django builds a query and its SQL anew whenever it is asked. For the memberships of a person, with what waits for them,
that took 9 ms of Python, and the answer 0.6 ms of Postgres.
"""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connections
from django.db.models import BigIntegerField, BooleanField, F, Func, Model, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)
Statement = tuple[str, tuple[Any, ...]]


class Prepared(Generic[Row]):
    """Called with the parameters of the function that makes the query set, by name, it gives that query set.

    The function is called once, with stand-ins for the values: it may hand them to the query only, and decide nothing
    by them. What the query set is made of later (`filter`, a slice) is not prepared: iterate it as it is."""

    def __init__(self, make: Callable[..., "QuerySet[Row]"]) -> None:
        self._make = make
        self._prepared: tuple[QuerySet[Row], SQLCompiler, Statement] | None = None

    def __call__(self, **values: Any) -> "QuerySet[Row]":
        """The rows for these values; not read yet."""
        rows, compiler, (sql, params) = self._prepared or self._prepare()
        fresh = rows.all()
        fresh.query.get_compiler = _handing_out(compiler, (sql, _filled(params, values)))  # type: ignore[method-assign]
        return fresh

    def _prepare(self) -> "tuple[QuerySet[Row], SQLCompiler, Statement]":
        stand_ins = _stand_ins(self._make)
        rows = self._make(**stand_ins)
        compiler = rows.query.get_compiler(using=rows.db)
        sql, params = compiler.as_sql()
        names = {_key(value): name for name, value in stand_ins.items()}
        places = tuple(_Place(names[_key(each)], type(each)) if _key(each) in names else each for each in params)
        if missing := set(stand_ins) - {each.name for each in places if isinstance(each, _Place)}:
            raise ValueError(f"the query does not ask for {', '.join(sorted(missing))}")
        self._prepared = rows, compiler, (sql, places)
        return self._prepared


class IsOneOf(Func):
    """For `filter`: the column is one of the keys. One parameter however many there are; `__in` writes a place for
    each, and another statement for each number of them."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, keys: list[int]) -> None:
        super().__init__(F(column), Value(keys, ArrayField(BigIntegerField())))


class _Place:
    """Where a parameter stands in a statement, and as what the driver is to write it."""

    def __init__(self, name: str, kind: type) -> None:
        self.name = name
        self.kind = kind


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _filled(params: tuple[Any, ...], values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(_written(each, values[each.name]) if isinstance(each, _Place) else each for each in params)


def _written(place: _Place, value: Any) -> Any:
    """Django hands integers to the driver as Int8 and the like, which tell Postgres their type."""
    return place.kind(value) if issubclass(place.kind, int) else value


def _handing_out(compiler: SQLCompiler, statement: Statement) -> Callable[..., SQLCompiler]:
    def get_compiler(using: str = "default", *_: object, **__: object) -> SQLCompiler:
        ours = copy(compiler)  # it knows which columns make which object
        ours.connection = connections[using]  # of this thread
        ours.as_sql = lambda *_, **__: statement  # type: ignore[method-assign]
        return ours

    return get_compiler


def _stand_ins(make: Callable[..., Any]) -> dict[str, Any]:
    """Values that nobody asks for, by the annotations of the parameters."""
    kinds = {name: each.annotation for name, each in signature(make).parameters.items()}
    return {name: _STAND_INS[kind](number) for number, (name, kind) in enumerate(kinds.items())}


_STAND_INS: dict[Any, Callable[[int], Any]] = {
    int: lambda number: 2_000_000_000 + number,
    str: lambda number: f"\ue000{number}",
    datetime: lambda number: datetime(1900, 1, 1, tzinfo=UTC) + timedelta(days=number),
    list[int]: lambda number: [2_000_000_000 + number],
}
