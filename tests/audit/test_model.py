import pytest

from conversations.audit.model import FactKind, FactState
from tests.audit.cases import fact


@pytest.mark.parametrize(
    ("kind", "state", "pending"),
    [
        (FactKind.PROHIBITION, FactState.OPEN, True),
        (FactKind.STATE, FactState.OPEN, True),
        (FactKind.STATE, FactState.SETTLED, False),
        (FactKind.ASK, FactState.SUPERSEDED, False),
        (FactKind.FINDING, FactState.OPEN, False),
        (FactKind.COMMAND, FactState.OPEN, False),
    ],
)
def test_only_what_waits_or_holds_is_pending(kind, state, pending):
    assert fact("Never push to main.", kind, state=state).is_pending is pending
