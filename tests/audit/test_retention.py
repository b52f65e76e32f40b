from dataclasses import replace

from conversations.audit.model import Importance
from conversations.audit.retention import retention_of
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of, finding_of


def finding(outcome, importance):
    fact = fact_of(Log().agent("Something that was said."))
    return finding_of(replace(fact, importance=Importance(importance)), outcome)


def test_the_share_kept_is_weighed_by_importance():
    kept = retention_of([finding(Outcome.KEPT, 0.75), finding(Outcome.FORGOTTEN, 0.25)])
    assert (kept.value, kept.facts) == (0.75, 2)
    assert kept.low <= kept.value <= kept.high


def test_what_is_no_loss_counts_neither_way():
    others = [finding(Outcome.SUPERSEDED, 1.0), finding(Outcome.UNVERIFIABLE, 1.0)]
    assert retention_of([finding(Outcome.KEPT, 0.5), *others]).facts == 1


def test_nothing_to_count_is_unknown_and_not_zero():
    assert retention_of([]).value is None


def test_the_interval_is_the_same_every_time():
    findings = [finding(Outcome.KEPT if n % 3 else Outcome.FORGOTTEN, 0.5) for n in range(30)]
    assert retention_of(findings) == retention_of(findings)
    assert retention_of(findings).low < retention_of(findings).high
