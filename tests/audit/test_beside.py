from dataclasses import replace

import pytest

from conversations.audit.beside import BETWEEN, MOST, ONE_LIST, gathered, shown
from conversations.audit.facts.draft import LONGEST_TEXT
from conversations.audit.facts.reading import READ
from conversations.audit.model import Author, Detail, Evidence, FactKind, Finding, Judgement
from conversations.audit.queries import finding_value
from conversations.models import Finding as Row
from conversations.vocabulary import Outcome
from tests.audit.segments import Log, fact_of, finding_of

SAID = (
    "Chunks are read in index order.",
    "A gap ends the read.",
    "Retries wait nine seconds.",
    "Sums are not checked.",
)


def passage(*quotes, author=Author.ASSISTANT, about=""):
    """Losses of one message, in order."""
    line = Log().add(author, " ".join(quotes))
    return [finding_of(fact_of(line, quote, text=f"{about}{quote}")) for quote in quotes]


def ids(findings):
    return [finding.fact.id for finding in findings]


def test_the_first_of_a_passage_speaks_for_the_next_two():
    losses = passage(*SAID)
    losses[3] = replace(losses[3], fact=replace(losses[3].fact, text=f"Sums: {SAID[3]}"))
    first, spoken_for = gathered(losses)
    assert ids(first) == ids([losses[0], losses[3]])
    assert ids(spoken_for) == ids(losses[1:3])
    assert first[0].beside == SAID[: 1 + MOST]


def test_pieces_stand_in_the_order_in_which_they_were_said():
    losses = passage(*SAID[:3])
    (first,), _ = gathered([losses[2], losses[0], losses[1]])
    assert shown(first) == BETWEEN.join(SAID[:3])


def test_what_a_short_piece_leaves_over_goes_to_a_longer_one():
    long = "The reader stops at the first gap " + "and waits there for the sender to go on " * 4
    (first,), _ = gathered(passage("Short.", long, "Brief."))
    assert shown(first) == BETWEEN.join(["Short.", long.strip(), "Brief."])


def test_what_a_piece_says_by_itself_does_not_stand_before_all():
    asked = "Which form should the key have?"
    losses = passage(asked, "A flat one.", "A table.")
    losses[1] = replace(losses[1], fact=replace(losses[1].fact, text=f"{asked}: A flat one."))
    (first,), _ = gathered([losses[1], losses[0], losses[2]])
    assert shown(first) == BETWEEN.join([asked, "A flat one.", "A table."])


def test_one_list_takes_one_place():
    losses = passage(*SAID, about="download.py: ")
    first, spoken_for = gathered(losses)
    assert (ids(first), ids(spoken_for)) == (ids(losses[:1]), ids(losses[1:]))


def test_the_same_heading_far_below_takes_another_place():
    losses = passage(*SAID[:3], "Nothing. " * (ONE_LIST // 8), SAID[3])
    first, _ = gathered([*losses[:3], losses[4]])
    assert ids(first) == ids([losses[0], losses[4]])


def command(log, run, about):
    line = log.add(Author.TOOL_INPUT, run)
    return finding_of(fact_of(line, run, FactKind.COMMAND, text=f"{about}: {run}"))


def test_how_things_are_run_takes_one_place_whoever_said_it():
    log = Log()
    lint, again, tests = (
        command(log, "make fmt && make lint", "Format and lint"),
        command(log, "make lint", "Lint once more"),
        command(log, "make test", "Run tests"),
    )
    first, spoken_for = gathered([lint, again, tests])
    assert (ids(first), spoken_for) == (ids([lint]), [again, tests])
    assert shown(first[0]) == "Format and lint: make fmt && make lint · Run tests: make test"


def test_what_other_messages_lost_stands_for_itself():
    log = Log()
    losses = [finding_of(fact_of(log.agent(said))) for said in SAID]
    assert gathered(losses) == (losses, [])


@pytest.mark.parametrize(
    "change",
    [
        {"judgement": Judgement(Outcome.ALTERED, Detail.FLIPPED, 0.2, None, None, "test", "Said so.")},
        {"evidence": (Evidence("user_repeats", "The user said it again.", ("m9",)),)},
    ],
)
def test_what_was_altered_or_hurt_is_not_spoken_for(change):
    losses = passage(*SAID[:2])
    losses[1] = replace(losses[1], **change)
    assert gathered(losses) == (losses, [])


def test_the_users_own_words_stand_for_themselves():
    losses = passage(*SAID, author=Author.USER)
    assert gathered(losses) == (losses, [])


def test_nothing_is_lost_and_no_order_changes():
    losses = [*passage(*SAID), *passage("The banner is blue.", author=Author.THINKING)]
    first, spoken_for = gathered(losses)
    assert sorted(ids(first + spoken_for)) == sorted(ids(losses))
    assert ids(first) == [one for one in ids(losses) if one in ids(first)]


def test_the_sentence_tells_what_it_is_about_and_each_loss():
    (lead, *_), _ = gathered(passage(*SAID[:3], about="download.py: "))
    assert shown(lead) == f"download.py: {SAID[0]} · {SAID[1]} · {SAID[2]}"


def test_long_losses_are_cut_so_that_each_has_its_share():
    (lead, *_), _ = gathered(passage(*(f"{name} " + "runs on and on " * 20 for name in ("One", "Two", "Three"))))
    sentence = shown(lead)
    assert len(sentence) <= LONGEST_TEXT
    assert [piece.split()[0] for piece in sentence.split(" · ")] == ["One", "Two", "Three"]


def test_a_finding_by_itself_keeps_its_own_sentence():
    finding = Finding(fact_of(Log().agent("Sums are not checked."), text="sums.py: Sums are not checked."),
                      finding_of(fact_of(Log().agent("x"))).judgement, 0.5)  # fmt: skip
    assert shown(finding) == "sums.py: Sums are not checked."


def test_a_stored_finding_that_speaks_for_others_is_followed_by_its_own_sentence():
    row = Row(kind="finding", text="A · B", quote="A", author="assistant", state="open", spans=[], parts={"own": "A"},
              outcome="forgotten", probability=0.1, first=1, last=1, importance=0.5)  # fmt: skip
    assert finding_value(row).fact.text == "A"
    row.parts = {}
    assert finding_value(row).fact.text == "A · B"


def test_a_place_in_code_is_told_in_the_words_of_its_reader():
    line = Log().add(Author.TOOL_RESULT, "12→ if gap: return\n40→ wait(9)")
    first = fact_of(line, "12→ if gap: return", text="download.py: A gap ends the read.", cues=(READ,))
    other = fact_of(line, "40→ wait(9)", text="download.py: Retries wait nine seconds.", cues=(READ,))
    (lead,), _ = gathered([finding_of(first), finding_of(other)])
    assert shown(lead) == "download.py: A gap ends the read. · Retries wait nine seconds."


def test_numbers_of_lines_are_not_shown():
    line = Log().add(Author.TOOL_RESULT, "12→ // A gap ends the read.\n40→ // Retries wait nine seconds.")
    pieces = ("12→ // A gap ends the read.", "40→ // Retries wait nine seconds.")
    (lead,), _ = gathered([finding_of(fact_of(line, piece)) for piece in pieces])
    assert shown(lead) == "// A gap ends the read. · // Retries wait nine seconds."
