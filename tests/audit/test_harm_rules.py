"""When the breaking of a lost rule is a sign of harm."""

import json

import pytest

from conversations.audit.harm import find_harm
from tests.audit.harm_scenes import harm_of, shell, signals_of
from tests.audit.segments import FactKind, Log, Outcome, fact_of, finding_of, segment_of


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Never use npm here, we have pnpm.", "cd web && npm install left-pad"),
        ("Please do not push to the remote.", "git push origin HEAD"),
        ("Don't commit, I do that myself.", "git add -A && git -c user.name=x commit -m wip"),
        ("Stop using `git stash`.", "git stash pop"),
        ("Never pass --no-verify.", "git commit --no-verify -m wip"),
    ],
)
def test_a_forbidden_command_breaks_a_lost_rule(rule, command):
    before, after = Log(), Log(100)
    fact = fact_of(before.user(rule), kind=FactKind.PROHIBITION)
    before.idle(20)
    made, result = shell(after, command, "done")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages) == ("rule_broken", (made.message, result.message))
    assert evidence.base_rate == 0.0


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Never use npm here, we have pnpm.", "pnpm install left-pad"),
        ("Never use npm here, we have pnpm.", "grep npm package.json"),
        ("Please do not push until I have looked.", "git push origin HEAD"),
        ("Use git push at the end.", "git push origin HEAD"),
        ("Don't commit, I do that myself.", "git log --grep commit"),
    ],
)
def test_another_command_does_not_break_it(rule, command):
    before, after = Log(), Log(100)
    fact = fact_of(before.user(rule), kind=FactKind.PROHIBITION)
    before.idle(20)
    shell(after, command, "done")

    assert signals_of(harm_of(before, [fact], after)) == []


def test_what_the_user_allows_after_the_boundary_breaks_no_rule():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Please do not push to the remote."), kind=FactKind.PROHIBITION)
    before.idle(20)
    after.user("Looks good, you can push now.")
    shell(after, "git push", "done")

    assert signals_of(harm_of(before, [fact], after)) == []


def test_a_kept_rule_that_is_broken_is_no_loss():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Never use npm here."), kind=FactKind.PROHIBITION)
    before.idle(20)
    shell(after, "npm install", "done")
    segment = segment_of(before.lines, "Never use npm.", after.lines)

    assert find_harm(segment, [finding_of(fact, Outcome.KEPT)]).facts == {}


def test_a_change_of_a_forbidden_file_breaks_the_rule_and_reading_it_does_not():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Do not touch config/prod.yaml at all."), kind=FactKind.PROHIBITION)
    before.idle(20)
    after.call("Read", '{"file_path": "/srv/app/config/prod.yaml"}', "port: 1")
    edit = {"file_path": "/srv/app/config/prod.yaml", "old_string": "port: 1", "new_string": "port: 2"}
    made, result = after.call("Edit", json.dumps(edit), "ok")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert evidence.messages == (made.message, result.message)
