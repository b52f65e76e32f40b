import pytest

from conversations.audit.facts.draft import Draft
from conversations.audit.merge import fact_id, merge_drafts
from conversations.audit.model import Author, FactKind, FactState
from tests.audit.segments import Log


def draft(line, kind=FactKind.FINDING, **fields):
    return Draft(kind, line, 0, len(line.text), **fields)


def test_the_same_said_twice_is_one_fact_with_both_places():
    log = Log()
    first = log.agent("The cache is cleared before the lock is taken by resetState.")
    log.idle(1)
    second = log.agent("resetState: the cache is cleared before the lock is taken.")
    (fact,) = merge_drafts([draft(first), draft(second)])
    assert (fact.first, fact.last, fact.count, len(fact.spans)) == (0, 2, 2, 2)


def test_the_user_s_words_stand_for_the_fact():
    log = Log()
    agent = log.agent("Never push the release branch without asking first.")
    user = log.user("Never push the release branch without asking first.")
    (fact,) = merge_drafts([draft(agent), draft(user, FactKind.PROHIBITION)])
    assert (fact.author, fact.kind, fact.spans[0].message) == (Author.USER, FactKind.PROHIBITION, user.message)


def test_different_statements_stay_apart():
    log = Log()
    lines = [log.agent("The cache is cleared by resetState."), log.agent("The lock is taken by openSession.")]
    assert len(merge_drafts([draft(line) for line in lines])) == 2


def test_few_words_are_the_same_only_when_equal():
    log = Log()
    lines = [log.agent("port 5173 local"), log.agent("port 5174 local"), log.agent("Port 5173, local")]
    assert [fact.count for fact in merge_drafts([draft(line) for line in lines])] == [2, 1]


@pytest.mark.parametrize(
    ("one", "other", "facts"),
    [
        (
            "The preview server of the shop listens on port 5173",
            "The preview server of the shop listens on port 5199",
            2,
        ),
        ("1. The preview server of the shop is started", "4. The preview server of the shop is started", 1),
        ("The preview server of the shop listens on port 5173", "The preview server of the shop listens on a port", 1),
    ],
)
def test_another_figure_is_another_fact(one, other, facts):
    log = Log()
    assert len(merge_drafts([draft(log.agent(one)), draft(log.agent(other))])) == facts


def test_the_last_mention_decides_the_state():
    log = Log()
    early = draft(log.agent("Run the manual remediation test on staging."), FactKind.STATE)
    late = draft(log.agent("Run the manual remediation test on staging."), FactKind.STATE, state=FactState.SETTLED)
    (fact,) = merge_drafts([early, late])
    assert fact.state is FactState.SETTLED


def test_an_id_survives_case_and_blanks_but_not_other_words():
    assert fact_id(FactKind.VALUE, "Port  5173") == fact_id(FactKind.VALUE, "port 5173")
    assert fact_id(FactKind.VALUE, "port 5173") != fact_id(FactKind.VALUE, "port 5174")
    assert fact_id(FactKind.VALUE, "port 5173") != fact_id(FactKind.STATE, "port 5173")
