import pytest

from conversations.audit.clauses import unlimited
from conversations.audit.model import Detail
from conversations.audit.passages import PassageIndex


@pytest.mark.parametrize(
    ("text", "summary", "clause"),
    [
        ("Deploy the billing service, but not on the production cluster", "Deploy the billing service.",
         "but not on the production cluster"),
        ("Rebase the feature branch daily unless reviewers already commented", "Rebase the feature branch daily.",
         "unless reviewers already commented"),
        ("Execution input: plan, project summary, inventory — NOT full issue details",
         "Execution input is the plan, the project summary and the inventory.", "NOT full issue details"),
    ],
)  # fmt: skip
def test_a_rule_without_its_limit_is_found(text, summary, clause):
    judgement = unlimited(text, PassageIndex(summary, [], [text]))

    assert judgement.detail is Detail.WEAKENED
    assert clause in judgement.reason


@pytest.mark.parametrize(
    ("text", "summary", "kept"),
    [
        ("Deploy the billing service, but not on the production cluster",
         "Deploy the billing service.\nThe production cluster is off limits.", []),
        ("Deploy the billing service, but not on the production cluster", "Deploy the billing service.",
         ["Agreed, but not on the production cluster!"]),
        ("Deploy the billing service, but not on the production cluster", "The docs were written.", []),
        ("Deploy it, but not on the production cluster", "Deploy it.", []),
        ("Deploy the billing service because customers wait for it", "Deploy the billing service.", []),
        ("Deploy the billing service, but not yet", "Deploy the billing service.", []),
    ],
)  # fmt: skip
def test_a_limit_that_is_told_or_no_limit_is_left_alone(text, summary, kept):
    assert unlimited(text, PassageIndex(summary, kept, [text])) is None
