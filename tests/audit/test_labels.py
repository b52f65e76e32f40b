import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.labels import _DEFINED, _LIKELY, Label, bare, labels, swept
from conversations.audit.model import Detail
from conversations.audit.passages import PassageIndex

REPORT = ["L1: retries are unbounded", "L2: session token not cleared on logout"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L2: token not cleared - accept it.", [Label("L2", "token not cleared - accept it.")]),
        ("M1 (plain names) and M5 (silent failures)", [Label("M1", "plain names"), Label("M5", "silent failures")]),
        ("| P2 | M4: cache never ends | add a limit |", [Label("P2", ""), Label("M4", "cache never ends")]),
        ("**Option A** — one flat list.\nThen more.", [Label("Option A", "one flat list")]),
        ("- REQ-12: exports are signed", [Label("REQ-12", "exports are signed")]),
        ("We went with option A and fixed L2.", []),
        ("The S3 bucket: see below", []),
    ],
)
def test_labels_are_read_with_what_they_stand_for(text, expected):
    assert list(labels(text)) == expected


@pytest.mark.parametrize(
    ("text", "summary", "meaning"),
    [
        (REPORT[1], "A todo was made for L1 and L2.", "session token not cleared on logout"),
        ("Option B: cards with a side bar", "The user chose Option B.", "cards with a side bar"),
        ("M1 (plain names) and M5 (silent failures)", "Deferred: M1, M5.", "plain names"),
    ],
)
def test_a_label_that_is_all_that_is_left_is_found(text, summary, meaning):
    judgement = bare(text, PassageIndex(summary, [], [text]))

    assert judgement.detail is Detail.WEAKENED
    assert meaning in judgement.reason
    assert 0 <= judgement.start < judgement.end <= len(summary)


@pytest.mark.parametrize(
    ("text", "summary", "kept", "sources"),
    [
        (REPORT[1], "A todo for L1 and L2 (session token not cleared on logout).", [], REPORT),  # told beside it
        (REPORT[1], "L1, L2 deferred.\nThe session token is not cleared on logout.", [], REPORT),  # told elsewhere
        (REPORT[1], "L1 and L2 are deferred.", ["session token not cleared on logout"], REPORT),  # kept in a message
        (REPORT[1], "Retries were bounded.", [], REPORT),  # not named
        (REPORT[1], "L1 and L25 are deferred.", [], REPORT),  # another label
        ("S3 (the object storage of the backups)", "Backups go to S3.", [], []),  # a name by itself
        ("Option B: cards with a side bar", "Option B it is.", [], ["Option B: send nightly mails"]),  # two things
    ],
)
def test_a_label_whose_meaning_is_known_or_unsure_is_left_alone(text, summary, kept, sources):
    assert bare(text, PassageIndex(summary, kept, sources)) is None


TECH_DEBT = "L2 (session token not cleared) - accept as tech debt."


def test_a_label_left_undone_among_those_all_done_is_found():
    summary = "Asked to mend the findings H1, L2, L3.\nThen I fixed all requested findings."
    judgement = swept(TECH_DEBT, PassageIndex(summary, [], [TECH_DEBT]))

    assert judgement.detail is Detail.FLIPPED
    assert judgement.reason == "The source says “tech debt” of L2; the summary says “fixed all requested findings”."
    assert summary[judgement.start : judgement.end] == "fixed all requested findings"


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (TECH_DEBT, "Asked to mend the findings H1, L2, L3.\nFixed all findings; L2 was deferred, L3 done."),
        (TECH_DEBT, "Asked to mend the findings H1, L2, L3.\nFixed all failing tests."),
        (TECH_DEBT, "Asked to mend the findings H1, L2, L3.\nI have not fixed all findings."),
        (TECH_DEBT, "Fixed all requested findings."),
        ("L2 (session token not cleared) - mended.", "Findings H1, L2, L3.\nFixed all requested findings."),
    ],
)
def test_a_label_told_open_or_not_among_those_done_is_left_alone(text, summary):
    assert swept(text, PassageIndex(summary, [], [text])) is None


@given(st.lists(st.sampled_from(["L2", "AB-12", "Option A", "Rule #3", ": ", " (", ")", "|", "x", "\n", "Z", "7"])))
def test_a_text_without_the_look_of_a_label_has_none(pieces):
    text = "".join(pieces)

    assert not _DEFINED.search(text) or _LIKELY.search(text)
