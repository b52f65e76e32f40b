from datetime import UTC, datetime, time, timedelta

import pytest

from conversations.alerts.hours import Hours
from conversations.alerts.policy import NOW, Decision, Manners, Wish, decide, digest_due, goes_together
from conversations.vocabulary import DeliveryKind, IncidentState, Severity

AT = datetime(2026, 11, 20, 23, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 7, tzinfo=UTC)
SOON = AT + timedelta(minutes=5)
QUIET = Manners(quiet=Hours(time(22), time(7)))
SLEEPS = Manners(quiet=Hours(time(22), time(7)), wakes_when_critical=False)


def wish(kind="opened", state="open", severity="warning", **fields):
    return Wish(DeliveryKind(kind), IncidentState(state), Severity(severity), AT, **fields)


@pytest.mark.parametrize(
    ("wished", "manners", "decision"),
    [
        (wish(), Manners(), NOW),
        (wish("resolved", "resolved"), Manners(), NOW),
        (wish("opened", "acknowledged"), Manners(), NOW),
        (wish("opened", "resolved"), Manners(), NOW),  # it was short; people are told all the same
        (wish("escalated", "open"), Manners(), NOW),
        (wish("escalated", "acknowledged"), Manners(), Decision(never=True, why="it was acknowledged by then")),
        (wish("reminded", "resolved"), Manners(), Decision(never=True, why="it was resolved by then")),
        (wish(), QUIET, Decision(MORNING, why="quiet hours")),
        (wish(severity="critical"), QUIET, NOW),
        (wish(severity="critical"), SLEEPS, Decision(MORNING, why="quiet hours")),
        (wish("resolved", "resolved", "critical"), QUIET, Decision(MORNING, why="quiet hours")),
        (wish(silent_until=MORNING), Manners(), Decision(SOON, why="silenced")),
        (wish(silent_until=AT + timedelta(minutes=1)), Manners(), Decision(AT + timedelta(minutes=1), why="silenced")),
        (wish(severity="critical", silent_until=MORNING), QUIET, Decision(SOON, why="silenced")),
        (
            wish("opened", "resolved", silent_until=MORNING),
            Manners(),
            Decision(never=True, why="it was resolved while it was silenced"),
        ),
        (wish(snoozed_until=MORNING), Manners(), Decision(SOON, why="snoozed")),
        (wish(snoozed_until=AT), Manners(), NOW),
        (wish("resolved", "resolved", snoozed_until=MORNING), Manners(), NOW),
    ],
)
def test_what_is_told_when(wished, manners, decision):
    assert decide(wished, manners, AT) == decision


def test_a_digest_is_due_after_its_first_wish():
    later = Wish(DeliveryKind.OPENED, IncidentState.OPEN, Severity.INFO, AT + timedelta(minutes=9))

    assert digest_due([later, wish()], Manners(digest=timedelta(minutes=10))) == AT + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("incidents", "most", "sent", "together"),
    [(1, None, 99, False), (5, None, 0, False), (6, None, 0, True), (3, 10, 8, True), (2, 10, 8, False)],
)
def test_a_storm_goes_together(incidents, most, sent, together):
    assert goes_together(incidents, Manners(most_an_hour=most), sent) == together
