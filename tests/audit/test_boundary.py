from dataclasses import replace
from unittest.mock import patch

import pytest

from conversations.audit import boundary
from conversations.audit.audit import audit_segment
from conversations.audit.boundary import Boundaries, digest_of
from conversations.audit.judge import Reading
from conversations.audit.model import Author, Detail, Judgement, Line
from conversations.vocabulary import Outcome, Role, SummaryState
from tests.audit.segments import Log, segment_of

SUMMARY = "The download reads its chunks in the order of the index file.\nNext steps:\nmend the upload"


def conversation(following):
    """A compaction after which `following` messages came."""
    log, later = Log(), Log(start=40)
    log.user("Never push to the release branch, whatever happens.")
    log.agent("The upload fails because chunk_size is 9 in upload.py while the server expects 12.")
    log.call(
        "Read", '{"file_path": "upload.py"}', "# chunk_size must not exceed 12, or the server drops it\nchunk_size = 9"
    )
    log.agent("Retries wait for nine seconds, because the gateway limits callers. Sums of chunks are not checked yet.")
    for number in range(following // 4):
        later.agent(f"Where does the upload set chunk_size? Step {number}.")
        later.call("Bash", '{"command": "git push origin release"}', f"chunk_size = {number} in upload.py")
        later.user("I told you: never push to the release branch!")
    return segment_of(log.lines, SUMMARY, later.lines)


def test_an_audit_made_again_as_the_conversation_goes_on_is_the_whole_audit():
    known = Boundaries()
    for following in (0, 8, 40, 120):
        segment = conversation(following)
        assert audit_segment(segment, None, known) == audit_segment(segment)


def test_no_fact_is_judged_again_when_only_what_followed_has_grown():
    known = Boundaries()
    audit_segment(conversation(0), None, known)
    with patch.object(boundary, "judge", side_effect=AssertionError("judged again")):
        assert audit_segment(conversation(40), None, known).findings


TOLD = Judgement(Outcome.KEPT, Detail.REWORDED, 0.9, None, None, "llm", "Said so.")
RESTORED = Line("r1", 0, Role.USER, Author.HARNESS, "upload.py: chunk_size = 9", 39)


@pytest.mark.parametrize(
    "change",
    [
        {"summary": f"{SUMMARY}."},
        {"summary_state": SummaryState.ABSENT},
        {"cwd": "/srv"},
        {"restored": [RESTORED]},
        {"kept": [RESTORED]},
    ],
)
def test_another_context_is_another_boundary(change):
    segment = conversation(0)
    assert digest_of(replace(segment, **change), Reading()) != digest_of(segment, Reading())


def test_a_message_that_came_late_or_says_something_else_is_another_boundary():
    segment = conversation(0)
    first, *rest = segment.dropped
    for dropped in (rest, [replace(first, text="Always push."), *rest], [replace(first, is_error=True), *rest]):
        assert digest_of(replace(segment, dropped=dropped), Reading()) != digest_of(segment, Reading())


def test_what_a_model_said_is_another_boundary():
    segment = conversation(0)
    assert digest_of(segment, Reading({"f1": TOLD})) != digest_of(segment, Reading())


def test_only_the_last_boundaries_are_kept():
    known = Boundaries(kept=1)
    one, other = conversation(0), replace(conversation(0), summary="Nothing.")
    for segment in (one, other):
        audit_segment(segment, None, known)
    with patch.object(boundary, "judge", side_effect=AssertionError("judged again")):
        audit_segment(other, None, known)
        with pytest.raises(AssertionError, match="judged again"):
            audit_segment(one, None, known)
