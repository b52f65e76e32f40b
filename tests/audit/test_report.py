import json
from dataclasses import replace

from conversations.audit.audit import AUDITOR_VERSION, audit_segment
from conversations.audit.model import Evidence
from conversations.audit.report import as_json, as_text, compaction_json
from conversations.vocabulary import CompactionKind, SummaryState
from tests.audit.segments import Log, segment_of

SAID = (
    "Never push the release branch without asking Maria first.",
    "The download reads its chunks in the order of the index file.",
)


def audit_of(summary=SAID[1], **fields):
    log = Log()
    log.user(SAID[0])
    log.agent(SAID[1])
    return audit_segment(segment_of(log.lines, summary, **fields))


def test_json_has_the_agreed_shape():
    report = as_json("log.jsonl", [audit_of()], AUDITOR_VERSION)
    (compaction,) = report["compactions"]
    assert report["file"] == "log.jsonl"
    assert report["version"] == AUDITOR_VERSION
    assert {
        "boundary", "number", "summary_state", "kind", "complete", "retention", "counts", "findings", "added",
    } <= compaction.keys()  # fmt: skip
    assert {
        "id", "kind", "text", "quote", "messages", "outcome", "detail", "probability", "importance",
        "summary_quote", "reason",
        "detector", "rank", "evidence",
    } <= compaction["findings"][0].keys()  # fmt: skip
    assert json.loads(json.dumps(report)) == report


def test_findings_say_what_was_said_where_and_what_the_summary_has():
    first, second = compaction_json(audit_of())["findings"]
    assert (first["outcome"], first["quote"], first["messages"]) == ("forgotten", SAID[0], ["m0"])
    assert (second["outcome"], second["detail"], second["summary_quote"]) == ("kept", "verbatim", SAID[1].rstrip("."))


def test_counts_are_by_outcome_and_by_kind():
    counts = compaction_json(audit_of())["counts"]
    assert (counts["forgotten"], counts["kept"], counts["altered"], counts["harm"]) == (1, 1, 0, 0)
    assert counts["kind"]["prohibition"] == {"forgotten": 1}


def test_harm_is_counted_and_shown():
    audit = audit_of()
    sign = Evidence("user_repeats", "The user said it again.", ("m9",))
    hurt = replace(audit, findings=(replace(audit.findings[0], evidence=(sign,)), *audit.findings[1:]))
    assert compaction_json(hurt)["counts"]["harm"] == 1
    assert "The user said it again." in as_text("log", [hurt], top=5, colour=False)


def test_text_shows_the_top_losses_with_source_and_reason():
    text = as_text("log.jsonl", [audit_of("Something else entirely.")], top=1, colour=False)
    assert "forgotten prohibition" in text
    assert f"said: {SAID[0]}" in text
    assert "why:" in text
    assert "and 1 more" in text
    assert "\x1b" not in text


def test_colour_only_where_asked():
    assert "\x1b[31m" in as_text("log", [audit_of("Something else.")], top=3, colour=True)


def test_an_unreadable_summary_is_said_to_be_unreadable():
    audit = audit_of("", summary_state=SummaryState.ENCRYPTED, kind=CompactionKind.HOSTED_OPAQUE)
    assert "the summary is encrypted; what was lost cannot be told" in as_text("log", [audit], top=3, colour=False)


def test_no_compaction_is_said_plainly():
    assert as_text("log.jsonl", [], top=3, colour=False) == "log.jsonl: no compaction in it.\n"


def test_control_characters_do_not_reach_the_terminal():
    log = Log()
    log.user("Never print \x1b[2J or \x07 to my terminal without asking.")
    text = as_text("log", [audit_segment(segment_of(log.lines, "Hello."))], top=3, colour=False)
    assert "\x1b" not in text
    assert "\x07" not in text
