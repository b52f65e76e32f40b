import pytest

from conversations.audit.importance import weigh
from conversations.audit.model import Author, FactKind, FactState
from tests.audit.segments import Log, fact_of


def value(recency=0.5, **fields):
    return weigh(fact_of(Log().agent("Something that was said."), **fields), recency).importance.value


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"kind": FactKind.PROHIBITION}, {"kind": FactKind.COMMAND}),
        ({"author": Author.USER}, {"author": Author.HARNESS}),
        ({"recency": 1.0}, {"recency": 0.0}),
        ({"count": 4}, {"count": 1}),
        ({"state": FactState.OPEN}, {"state": FactState.SETTLED}),
    ],
)
def test_what_matters_more_weighs_more(more, less):
    assert value(**more) > value(**less)


def test_the_parts_add_up():
    importance = weigh(fact_of(Log().user("Never push to main.")), 0.8).importance
    assert importance.value == pytest.approx(sum(importance.parts.values()), abs=1e-9)
