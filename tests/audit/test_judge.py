"""What is asked about a compaction, and what of an answer is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.judge import (
    BATCH,
    GROUPS,
    SOURCE_LIMIT,
    Reading,
    apart,
    check_shape,
    context_after,
    extract_questions,
    judge_questions,
    locate,
    merged,
    read_facts,
    read_judgements,
    source_text,
)
from conversations.audit.model import Detail, FactState, Judgement
from tests.audit.segments import FactKind, Log, Outcome, fact_of, segment_of

SUMMARY = "The service listens on port 5432.\nTests were not run."


@pytest.fixture
def compaction():
    log = Log()
    log.user("Use port 5432, please.")
    log.agent("The helper parse_all lives in tools/parse.py.")
    kept = Log(50)
    kept.user("Never push without a review.")
    return segment_of(log.lines, SUMMARY, kept=kept.lines)


def answer(*verdicts):
    defaults = {"detail": "", "reason": "So  it\nis.", "confidence": "high"}
    return json.dumps({"verdicts": [{**defaults, **verdict} for verdict in verdicts]})


def found(**fields):
    defaults = {"kind": "finding", "text": "Where parse_all is.", "message": 1, "state": "open", "importance": "high"}
    return json.dumps({"facts": [{**defaults, "quote": "parse_all lives in tools/parse.py", **fields}]})


# --- asking ----------------------------------------------------------------------------------------------------------


def test_the_summary_comes_first_in_what_the_agent_has_left(compaction):
    text = context_after(compaction)

    assert text.startswith(SUMMARY)
    assert "Never push without a review." in text


def test_undecided_facts_go_in_batches_with_the_words_around_them(compaction):
    facts = [fact_of(compaction.dropped[1], "parse_all", id=f"fact{number}") for number in range(2 * BATCH + 1)]

    asked = list(judge_questions(compaction, facts))

    assert [len(batch) for _, batch in asked] == [BATCH, BATCH, 1]
    assert "lives in tools/parse.py" in asked[0][0].ask
    assert len({question.prefix for question, _ in asked}) == 1


def test_every_kind_is_asked_for_once_over_the_same_prefix(compaction):
    asked = list(extract_questions(compaction))

    assert sorted(kind for group in GROUPS for kind in group) == sorted(FactKind)
    assert len(asked) == len(GROUPS)
    assert len({question.prefix for question in asked}) == 1
    assert "[1] assistant: The helper parse_all" in asked[0].prefix


def test_a_question_has_another_key_for_another_model_and_other_words(compaction):
    [(question, _)] = judge_questions(compaction, [fact_of(compaction.dropped[0])])
    [(other, _)] = judge_questions(compaction, [fact_of(compaction.dropped[1])])

    assert len({question.key("a"), question.key("b"), other.key("a")}) == 3
    assert question.key("a") == question.key("a")


@pytest.mark.parametrize("size", [10, 30_000, 2_000_000])
def test_the_source_is_cut_until_it_fits(size):
    log = Log()
    for _ in range(60):
        log.agent("x" * size)
    log.agent("the newest words")

    shown = source_text(log.lines)

    assert len(shown) <= SOURCE_LIMIT
    assert shown.endswith("the newest words")


def test_schemas_close_every_object(compaction):
    def objects(schema):
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for value in schema.values():
                yield from objects(value)

    questions = [
        *extract_questions(compaction),
        *(q for q, _ in judge_questions(compaction, [fact_of(compaction.dropped[0])])),
    ]

    for question in questions:
        for each in objects(question.schema):
            assert each["additionalProperties"] is False
            assert each["required"] == list(each["properties"])


# --- believing -------------------------------------------------------------------------------------------------------


def judged(compaction, verdict):
    fact = fact_of(compaction.dropped[0])
    return read_judgements(compaction, [fact], answer({"id": "f0", **verdict})).judgements.get(fact.id)


def test_a_kept_fact_points_into_the_summary(compaction):
    told = judged(compaction, {"outcome": "kept", "context_quote": "listens on port 5432"})

    assert SUMMARY[told.start : told.end] == "listens on port 5432"
    assert (told.outcome, told.detail, told.reason) == (Outcome.KEPT, Detail.REWORDED, "So it is.")


def test_a_fact_kept_in_a_message_has_no_place_in_the_summary(compaction):
    told = judged(compaction, {"outcome": "kept", "context_quote": "Never push without a review."})

    assert (told.outcome, told.start, told.end) == (Outcome.KEPT, None, None)


def test_white_space_may_differ_and_nothing_else(compaction):
    assert judged(compaction, {"outcome": "kept", "context_quote": "port 5432. Tests  were"}) is not None
    assert judged(compaction, {"outcome": "kept", "context_quote": "port 5432, Tests were"}) is None


@pytest.mark.parametrize("quote", ["", "port", "  "])
def test_a_quotation_too_short_to_prove_anything_is_void(compaction, quote):
    assert judged(compaction, {"outcome": "altered", "context_quote": quote}) is None


@pytest.mark.parametrize(
    ("outcome", "said", "detail"),
    [
        ("altered", "weakened", Detail.WEAKENED),
        ("altered", "verbatim", Detail.NONE),
        ("kept", "verbatim", Detail.VERBATIM),
        ("kept", "flipped state", Detail.REWORDED),
        ("forgotten", "weakened", Detail.NONE),
    ],
)
def test_a_detail_goes_with_its_outcome(compaction, outcome, said, detail):
    told = judged(compaction, {"outcome": outcome, "detail": said, "context_quote": "listens on port 5432"})

    assert told.detail is detail


@pytest.mark.parametrize(("outcome", "order"), [("kept", 1), ("altered", -1), ("forgotten", -1)])
def test_confidence_moves_the_probability_away_from_the_middle(compaction, outcome, order):
    levels = [
        judged(
            compaction, {"outcome": outcome, "context_quote": "listens on port 5432", "confidence": level}
        ).probability
        for level in ("low", "middle", "high")
    ]

    assert levels == sorted(levels, reverse=order < 0)
    assert all((level > 0.5) == (outcome == "kept") for level in levels)


def test_a_verdict_given_twice_counts_once(compaction):
    fact = fact_of(compaction.dropped[0])
    verdict = {"id": "f0", "outcome": "forgotten", "context_quote": ""}

    reading = read_judgements(compaction, [fact], answer(verdict, verdict))

    assert (len(reading.judgements), reading.void) == (1, {"names no fact that was asked about": 1})


def test_a_found_fact_stands_where_it_says(compaction):
    [fact] = read_facts(compaction, found()).facts

    [span] = fact.spans
    line = compaction.dropped[1]
    assert (span.message, line.text[span.start : span.end]) == (line.message, fact.quote)
    assert (fact.kind, fact.author, fact.first, fact.state) == (FactKind.FINDING, line.author, 1, FactState.OPEN)


@pytest.mark.parametrize("message", [0, 99, -1])
def test_a_miscounted_message_is_found_by_its_words(compaction, message):
    [fact] = read_facts(compaction, found(message=message)).facts

    assert fact.spans[0].message == "m1"


@pytest.mark.parametrize(
    ("fields", "void"),
    [
        ({"quote": "parse_all lives in src/parse.py"}, "quotes what is not in the messages"),
        ({"quote": "tools"}, "quotes what is not in the messages"),
        ({"text": "  "}, "says nothing"),
    ],
)
def test_what_has_no_source_is_void_and_counted(compaction, fields, void):
    assert read_facts(compaction, found(**fields)) == Reading(void={void: 1})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdicts": 3}', '{"verdicts": [{"id": "f0"}]}', '{"verdicts": ['])
def test_an_answer_of_another_shape_is_refused(compaction, text):
    [(question, batch)] = judge_questions(compaction, [fact_of(compaction.dropped[0])])

    with pytest.raises(ValueError, match=r".+"):
        check_shape(question, text)
    with pytest.raises(ValueError, match=r".+"):
        read_judgements(compaction, batch, text)


def test_an_answer_taken_apart_reads_as_if_each_had_been_asked_alone(compaction):
    facts = [fact_of(line) for line in compaction.dropped]
    together = answer(
        {"id": "f1", "outcome": "forgotten", "context_quote": ""},
        {"id": "f0", "outcome": "kept", "context_quote": "listens on port 5432"},
        {"id": "f9", "outcome": "forgotten", "context_quote": ""},
    )

    alone = merged([read_judgements(compaction, [fact], apart(facts, together)[fact.id]) for fact in facts])

    assert alone.judgements == read_judgements(compaction, facts, together).judgements
    assert alone.void == {}


def test_the_first_word_on_a_fact_stands():
    first, second = (Judgement(o, Detail.NONE, 0.5, None, None, "llm", "") for o in (Outcome.KEPT, Outcome.FORGOTTEN))

    both = merged([Reading({"a": first}, void={"x": 1}), Reading({"a": second, "b": second}, void={"x": 2})])

    assert (both.judgements, both.void) == ({"a": first, "b": second}, {"x": 3})


@given(st.text(max_size=80), st.text(min_size=1, max_size=60), st.text(max_size=80))
def test_what_stands_there_is_located_and_says_the_same(before, quote, after):
    place = locate(quote, before + quote + after)

    if len(quote.strip()) < 8:
        assert place is None
    else:
        start, end = place
        assert (before + quote + after)[start:end].split() == quote.split()


@given(st.text(alphabet="abc \n", max_size=60), st.text(alphabet="abcd \n", min_size=8, max_size=30))
def test_what_is_not_there_is_not_located(text, quote):
    if (place := locate(quote, text)) is not None:
        assert text[place[0] : place[1]].split() == quote.split()
    else:
        assert len(quote.strip()) < 8 or " ".join(quote.split()) not in " ".join(text.split())
