import pytest

from conversations.audit.conditions import parse
from conversations.errors import BadInput

REPORT = {
    "retention": {"value": 0.4},
    "counts": {
        "forgotten": 6,
        "altered": 1,
        "kept": 9,
        "added": 0,
        "harm": 2,
        "kind": {"prohibition": {"forgotten": 1}},
    },
}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("forgotten>5", True),
        ("forgotten > 6", False),
        ("lost>=7", True),
        ("harm>0", True),
        ("added!=0", False),
        ("retention<0.5", True),
        ("retention<40%", False),
        ("kind.prohibition.forgotten>0", True),
        ("kind.decision.forgotten>0", False),
        ("added>0,harm>0", True),
        ("added>0 or kept==9", True),
    ],
)
def test_a_condition_is_compared_with_the_report(expression, holds):
    assert any(condition.holds(REPORT) for condition in parse(expression)) is holds


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "forgotten",
        "forgoten>5",
        "kind.nonsense.forgotten>0",
        "kind.prohibition>0",
        "__import__('os')>0",
        "forgotten>five",
        "x" * 5000,
    ],
)
def test_what_is_no_condition_is_refused_with_a_way_to_mend_it(expression):
    with pytest.raises(BadInput) as refused:
        parse(expression)
    assert refused.value.mend


def test_an_unknown_retention_meets_no_condition():
    (condition,) = parse("retention<0.5")
    assert not condition.holds({**REPORT, "retention": {"value": None}})
