import pytest

from conversations.web.wording import how


@pytest.mark.parametrize(
    ("kind", "trigger", "said"),
    [
        ("client", "auto", "client, auto"),
        ("truncation", "unknown", "truncation, trigger unknown"),
        ("threshold", "threshold", "threshold"),
        ("on_demand", "manual", "on demand, manual"),
    ],
)
def test_what_compacted_is_said_once(kind, trigger, said):
    assert how(kind, trigger) == said
