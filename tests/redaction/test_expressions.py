import time

import pytest

from conversations.redaction.expressions import MOST_CHARACTERS, BadExpression, custom


@pytest.mark.parametrize("expression", [r"ORD-\d{6}", "(?i)project falcon", r"\bK[0-9]{4}\b", "Müller|Ærø"])
def test_expression_is_taken(expression):
    assert custom(expression).search("nothing") is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(", "missing"),
        ("a(?=b)", "invalid perl operator"),
        (r"(a)\1", "invalid escape"),
        ("x*", "matches the empty text"),
        ("", "matches the empty text"),
        ("a" * (MOST_CHARACTERS + 1), "more than 1000 characters"),
        ("(((a{100}){100}){100})", "invalid repetition"),
    ],
)
def test_expression_is_refused_with_its_reason(expression, said):
    with pytest.raises(BadExpression, match=said):
        custom(expression)


def test_expression_that_explodes_elsewhere_takes_linear_time():
    """Python's own engine takes years for this one."""
    pattern = custom("(a+)+$b")
    begun = time.process_time()

    assert pattern.search("a" * 100_000 + "!") is None
    assert time.process_time() - begun < 2
