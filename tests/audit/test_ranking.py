from dataclasses import replace
from itertools import pairwise
from math import exp

import pytest

from conversations.audit import ranking
from conversations.audit.background import background_of
from conversations.audit.model import Author, Detail, FactKind, Finding, Judgement
from conversations.audit.passages import PassageIndex
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of, segment_of

LOST = Judgement(Outcome.FORGOTTEN, Detail.NONE, 0.1, None, None, "test", "Said so.")


def scene(log, after=()):
    segment = segment_of(log.lines, "The upload was mended. Next steps:\nmend the download", after)
    facts = [fact_of(line) for line in log.lines]
    index = PassageIndex.of(segment)
    return facts, index, background_of(segment, facts, index)


def score(fact, index, ground):
    return ranking.score(ranking.features(fact, LOST, index, ground))


def test_what_bears_on_the_next_step_goes_before_what_does_not():
    log = Log()
    log.agent("The colours of the banner come from an old style guide somewhere.")
    log.agent("The download reads its chunks in the order of the index file.")
    (far, near), index, ground = scene(log)
    assert score(near, index, ground)[0] > score(far, index, ground)[0]


def test_what_was_said_again_afterwards_goes_first():
    log, later = Log(), Log(start=9)
    log.agent("The banner takes its colours from palette.json at start-up.")
    later.agent("I have to find out where the banner takes its colours from: palette.json at start-up.")
    (fact,), index, ground = scene(log, later.lines)
    (_,), silent_index, silent = scene(log)
    assert score(fact, index, ground)[0] > score(fact, silent_index, silent)[0]


def test_the_parts_explain_the_score():
    log = Log()
    log.agent("The download reads its chunks in the order of the index file.")
    (fact,), index, ground = scene(log)
    rank, parts = score(fact, index, ground)
    bias = ranking.fitted()[0]
    assert rank == pytest.approx(1 / (1 + exp(-(bias + sum(parts.values())))), abs=0.1)


def test_what_a_better_finding_says_already_comes_later():
    log = Log()
    log.agent("The download reads chunks in index order and stops at gaps.")
    log.agent("The download reads chunks in index order and stops at a gap.")
    log.agent("Sessions expire after nine minutes of silence.")
    facts, _, ground = scene(log)
    findings = [Finding(fact, LOST, rank) for fact, rank in zip(facts, (0.9, 0.8, 0.5), strict=True)]
    order = [finding.fact for finding in ranking.varied(findings, ground)]
    assert order == [facts[0], facts[2], facts[1]]


def test_a_command_is_not_put_back_for_being_short():
    log = Log()
    log.add(Author.TOOL_INPUT, "make test")
    log.agent("The download reads its chunks in the order of the index file that the server sent before.")
    facts, _, ground = scene(log)
    run = replace(facts[0], kind=FactKind.COMMAND)
    order = ranking.varied([Finding(facts[1], LOST, 0.5), Finding(run, LOST, 0.5)], ground)
    assert order[0].fact == run
    plain = ranking.varied([Finding(facts[1], LOST, 0.5), Finding(facts[0], LOST, 0.5)], ground)
    assert plain[0].fact == facts[1]


def test_variety_loses_nothing_and_ranks_fall():
    log = Log().idle(400)
    facts, _, ground = scene(log)
    found = ranking.varied([Finding(fact, LOST, 0.5) for fact in facts], ground)
    assert len(found) == 400
    assert all(a.rank >= b.rank for a, b in pairwise(found))


def test_what_is_stated_wrongly_goes_before_what_is_left_out():
    log = Log()
    log.agent("The download reads its chunks in the order of the index file.")
    (fact,), index, ground = scene(log)
    wrong = replace(LOST, outcome=Outcome.ALTERED, detail=Detail.FLIPPED)
    altered, parts = ranking.score(ranking.features(fact, wrong, index, ground))
    assert altered > score(fact, index, ground)[0]
    assert parts["altered"] == ranking.GIVEN["altered"]


@pytest.mark.parametrize("cue", ["loaded", "comment", "document"])
def test_what_can_be_read_again_goes_after_what_was_found_out(cue):
    log = Log()
    log.agent("The download reads its chunks in the order of the index file.")
    (fact,), index, ground = scene(log)
    values = ranking.features(fact, LOST, index, ground)
    assert ranking.score(values | {f"cue {cue}": 1.0})[0] < ranking.score(values)[0]
