from datetime import UTC, datetime
from itertools import permutations

from conversations.alerts.signals import Signal, by_group
from conversations.vocabulary import Severity, SignalState

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_the_worst_signal_of_a_group_counts_in_whatever_order_they_come():
    critical = Signal("coder", SignalState.FIRING, Severity.CRITICAL, AT)
    others = [
        Signal("coder", SignalState.FIRING, Severity.WARNING, AT),
        Signal("coder", SignalState.NO_DATA, Severity.CRITICAL, AT),
        Signal("coder", SignalState.OK, Severity.CRITICAL, AT),
    ]

    for signals in permutations([critical, *others]):
        assert by_group(signals) == {"coder": critical}


def test_groups_are_kept_apart():
    one, two = (Signal(group, SignalState.OK, Severity.INFO, AT) for group in ("a", ""))

    assert by_group([one, two]) == {"a": one, "": two}
