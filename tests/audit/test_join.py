from dataclasses import replace

from conversations.audit.join import LONGEST, join_neighbours
from conversations.audit.model import Detail, FactKind, Judgement, Span
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of


def judged(line, quote, outcome=Outcome.FORGOTTEN, kind=FactKind.FINDING):
    judgement = Judgement(outcome, Detail.NONE, 0.1, None, None, "test", "Said so.")
    return fact_of(line, quote, kind), judgement


def joined(line, *pairs, kept=()):
    return join_neighbours(pairs, {(line.message, line.block): line.text}, kept)


def test_neighbours_of_one_list_become_one_verbatim_finding():
    line = Log().agent("- first is gone\n- second is gone\n- third is gone")
    ((fact, _),) = joined(line, *(judged(line, q) for q in line.text.split("\n")))
    assert fact.quote == line.text
    assert line.text[fact.spans[0].start : fact.spans[0].end] == fact.quote


def test_a_kept_sentence_between_them_keeps_them_apart():
    line = Log().agent("First is gone. This middle one was kept. Third is gone.")
    pairs = judged(line, "First is gone."), judged(line, "Third is gone.")
    assert len(joined(line, *pairs, kept=[fact_of(line, "This middle one was kept.")])) == 2


def test_an_aside_that_is_no_fact_does_not_keep_them_apart():
    line = Log().agent("First is gone. Let me see. Third is gone.")
    assert len(joined(line, judged(line, "First is gone."), judged(line, "Third is gone."))) == 1


def test_different_outcomes_stay_apart():
    line = Log().agent("- first is gone\n- second is altered")
    pairs = judged(line, "- first is gone"), judged(line, "- second is altered", Outcome.ALTERED)
    assert len(joined(line, *pairs)) == 2


def test_a_joined_finding_stays_short():
    line = Log().agent("\n".join(f"- item {n} of the list {'x' * 60}" for n in range(20)))
    found = joined(line, *(judged(line, q) for q in line.text.split("\n")))
    assert len(found) > 1
    assert all(len(fact.quote) <= LONGEST for fact, _ in found)


def test_the_most_consequential_kind_names_the_whole():
    line = Log().agent("- it reads the file\n- never write to it")
    pairs = judged(line, "- it reads the file"), judged(line, "- never write to it", kind=FactKind.PROHIBITION)
    ((fact, _),) = joined(line, *pairs)
    assert fact.kind is FactKind.PROHIBITION


def test_what_was_altered_stands_alone_with_its_own_reason():
    line = Log().agent("- first is altered\n- second is altered too")
    pairs = [judged(line, quote, Outcome.ALTERED) for quote in line.text.split("\n")]
    assert joined(line, *pairs) == pairs


def test_where_the_parts_were_said_besides_is_kept():
    log = Log()
    line, again = log.agent("- first is gone\n- second is gone"), log.agent("second is gone")
    first, (second, verdict) = judged(line, "- first is gone"), judged(line, "- second is gone")
    elsewhere = Span(again.message, again.block, 0, len(again.text))
    ((fact, _),) = joined(line, first, (replace(second, spans=(*second.spans, elsewhere)), verdict))
    assert fact.spans[1:] == (elsewhere,)


def test_short_parts_are_named_by_what_they_stand_under_and_where_the_list_begins():
    line = Log().agent("- first is gone\n- second is gone")
    first, second = judged(line, "- first is gone"), judged(line, "- second is gone")
    titled = replace(first[0], text="Steps: - first is gone")
    ((fact, _),) = joined(line, (titled, first[1]), second)
    assert fact.text == "Steps: first is gone; second is gone"
