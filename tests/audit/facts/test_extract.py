import json

import pytest

from conversations.audit.facts import extract_drafts
from conversations.audit.facts.cues import NARRATION
from conversations.audit.facts.reading import comment_of
from conversations.audit.model import Author, FactKind, FactState
from conversations.vocabulary import Origin
from tests.audit.segments import Log, segment_of


def drafts_of(log):
    return extract_drafts(segment_of(log.lines))


def told(log, kind):
    return [draft.quote for draft in drafts_of(log) if draft.kind is kind]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Never push to main without asking me first.", FactKind.PROHIBITION),
        ("Please do not touch the generated client.", FactKind.PROHIBITION),
        ("Every handler must return a typed error.", FactKind.REQUIREMENT),
        ("Can you find out why the upload hangs?", FactKind.ASK),
        ("Looks good, go ahead with the second one.", FactKind.APPROVAL),
        ("Fix the failing upload test in the api.", FactKind.ASK),
    ],
)
def test_what_the_user_says_is_a_fact_of_its_kind(words, kind):
    log = Log()
    log.user(words)
    assert told(log, kind) == [words]


def test_a_short_assent_is_no_fact():
    log = Log()
    log.user("yes please")
    assert drafts_of(log) == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("The migration was never run against staging and is still untested.", FactKind.STATE),
        ("We went with polling instead of sockets because the proxy drops idle connections.", FactKind.DECISION),
        ("There is an edge case when the queue is empty and the lock was taken twice.", FactKind.FINDING),
        ("`saveState` returns early and sets nothing on the session.", FactKind.ANSWER),
    ],
)
def test_what_the_agent_says_is_a_fact_of_its_kind(words, kind):
    log = Log()
    log.agent(words)
    assert told(log, kind) == [words]


@pytest.mark.parametrize(
    "words",
    [
        "Let me check the configuration file next.",
        "Now I'll run the tests and see.",
        "All tests pass. Now let me run lint.",
        "Great, the build succeeded.",
        "I found it. Let me look at the caller to be sure.",
        "Which of the two do you prefer?",
        "Does this look complete now?",
    ],
)
def test_narration_is_no_fact(words):
    log = Log()
    log.agent(words)
    assert drafts_of(log) == []


def test_a_finding_ends_before_the_announcement_of_the_next_step():
    log = Log()
    log.agent("The cache is cleared by `reset` before the lock is taken. Let me look at the callers.")
    assert [draft.quote for draft in drafts_of(log)] == ["The cache is cleared by `reset` before the lock is taken."]


def test_an_announcement_may_follow_without_a_blank():
    log = Log()
    log.add(Author.THINKING, "The base commit stored in the state is older than `HEAD~1`.Let me check the state.")
    assert [draft.quote for draft in drafts_of(log)] == ["The base commit stored in the state is older than `HEAD~1`."]


def test_a_question_that_names_its_matter_is_a_fact():
    log = Log()
    log.agent("Should I keep the original upload separately for comparison with the retry?")
    assert len(drafts_of(log)) == 1


def test_a_table_row_under_a_labelled_option_is_content_behind_a_label():
    log = Log()
    log.agent("### Option A\n\n| Aspect | Choice |\n|---|---|\n| Dialog | Flat list, inline button |\n")
    assert told(log, FactKind.OPTION) == ["| Dialog | Flat list, inline button |"]


def test_code_that_was_read_comes_with_the_agents_reading_of_it():
    log = Log()
    code = (
        "    12→func resetState(session *Session) {\n    13→\tsession.StepCount = 1\n"
        "    14→\tsession.Touched = nil\n    15→}"
    )
    log.call("Read", '{"file_path": "/app/state.go"}', code)
    log.agent("`resetState` sets StepCount to 1 and clears Touched on the session.")
    (found,) = [draft for draft in drafts_of(log) if "read, then said" in draft.cues]
    assert found.quote.startswith("12→func resetState")
    assert "sets StepCount to 1" in found.text


def test_a_search_with_few_hits_says_where_something_is():
    log = Log()
    log.call("Grep", '{"pattern": "func Update"}', "store/committed.go:1020:func Update(opts Options) error {")
    (found,) = [draft for draft in drafts_of(log) if draft.cues == ("where it is",)]
    assert (found.kind, found.about) == (FactKind.FINDING, "Where func Update is")


def test_options_and_the_answer_to_a_question_are_facts():
    log = Log()
    question = {
        "questions": [
            {"question": "Which layout?", "options": [
                {"label": "Flat", "description": "one list with inline buttons"},
                {"label": "Cards", "description": "one card per recipient"},
            ]}
        ]
    }  # fmt: skip
    log.call("Ask", json.dumps(question), 'User has answered your questions: "Which layout?"="Flat".')
    assert [d.cues for d in drafts_of(log)] == [("chosen",), ("not chosen",), ("answer",)]


def test_the_project_s_commands_are_facts_without_what_trims_their_output():
    log = Log()
    log.call("Bash", '{"command": "cd /app && make test 2>&1 | tail -5"}', "ok")
    assert told(log, FactKind.COMMAND) == ["make test"]


def test_a_script_made_for_one_occasion_is_no_command_to_remember():
    log = Log()
    log.call("Bash", json.dumps({"command": "for i in 1 2; do\n  npm test\ndone"}), "ok")
    assert told(log, FactKind.COMMAND) == []


def test_a_failure_that_was_overcome_later_is_settled():
    log = Log()
    log.call("Bash", '{"command": "make test"}', "error: undefined symbol frobnicate\n1 failed", is_error=True)
    log.call("Bash", '{"command": "make test"}', "12 passed")
    states = {draft.state for draft in drafts_of(log) if draft.kind is FactKind.ERROR}
    assert states == {FactState.SETTLED}


def test_a_failure_that_stayed_is_open():
    log = Log()
    log.call("Bash", '{"command": "make test"}', "error: undefined symbol frobnicate\n1 failed", is_error=True)
    states = {draft.state for draft in drafts_of(log) if draft.kind is FactKind.ERROR}
    assert states == {FactState.OPEN}


def test_the_harness_refusing_a_call_is_no_error_of_the_work():
    log = Log()
    log.call(
        "Edit",
        '{"file_path": "/a.py", "old_string": "x", "new_string": "y"}',
        "File has not been read yet",
        is_error=True,
    )
    assert drafts_of(log) == []


def test_tasks_left_open_are_facts_and_finished_ones_are_settled():
    log = Log()
    todos = {"todos": [
        {"content": "Write the migration for shares", "status": "completed"},
        {"content": "Run the manual remediation test", "status": "pending"},
    ]}  # fmt: skip
    log.call("TodoWrite", json.dumps(todos), "ok")
    assert {d.quote: d.state for d in drafts_of(log)} == {
        "Write the migration for shares": FactState.SETTLED,
        "Run the manual remediation test": FactState.OPEN,
    }


def test_an_edited_file_is_a_value():
    log = Log()
    log.call("Edit", '{"file_path": "/app/state.go", "old_string": "a", "new_string": "b"}', "done")
    assert told(log, FactKind.VALUE) == ["/app/state.go"]


def test_rules_of_a_loaded_skill_are_facts_and_its_prose_is_not():
    log = Log()
    log.add(
        Author.HARNESS,
        "# Skill\n\nThis is about designs.\n\n- Never commit screenshots of users.",
        origin=Origin.HARNESS,
    )
    assert [d.quote for d in drafts_of(log)] == ["- Never commit screenshots of users."]


def test_every_draft_is_verbatim():
    log = Log()
    log.user("Never push to main.\n\n- always sign commits with the key")
    log.agent("## Plan\n\n1. Change the store so that nothing is lost\n2. Run the tests because CI is slow")
    log.call("Bash", '{"command": "make lint"}', "fatal: no such file")
    by_place = {(line.message, line.block): line.text for line in log.lines}
    for draft in drafts_of(log):
        assert draft.quote == by_place[draft.line.message, draft.line.block][draft.start : draft.end]


def test_narration_needs_its_opening_words():
    assert NARRATION.match("Okay, now let me see")
    assert not NARRATION.match("The letter is missing")


RECEIPT = "agentId: af26473 (for resuming to continue this agent's work if needed)\n<usage>total_tokens: 30796</usage>"


def test_what_a_harness_adds_to_a_report_is_no_fact():
    log = Log()
    report = "## Findings\n" + "\n".join(f"- Module {n} reads its limits from the shared table." for n in range(12))
    log.call("Task", json.dumps({"prompt": "look"}), f"{report}\n{RECEIPT}")
    quotes = [draft.quote for draft in drafts_of(log)]
    assert quotes
    assert not any("agentId" in quote or "total_tokens" in quote for quote in quotes)


@pytest.mark.parametrize(
    ("words", "kind", "cue"),
    [
        ("Added retries to the upload client with three attempts.", FactKind.STATE, "done"),
        ("2. **Upload client** - Fixed the retry counter of the client", FactKind.STATE, "done"),
        ("We also removed the second lock of the session store.", FactKind.STATE, "done"),
        ("Removed the second lock because the store is locked by its caller.", FactKind.ANSWER, "answer"),
    ],
)
def test_a_report_of_deeds_is_told_from_a_finding(words, kind, cue):
    log = Log()
    log.agent(words)
    (draft,) = drafts_of(log)
    assert (draft.kind, draft.cues) == (kind, (cue,))


def test_what_was_said_of_several_results_stands_with_the_nearest_only():
    log = Log()
    log.call("Grep", '{"pattern": "limit"}', "api/limits.ts:3: export const uploadLimit = readLimit(config)")
    log.call(
        "Read",
        '{"file_path": "api/store.ts"}',
        "const sessionStore = openStore(config)\nsessionStore.uploadLimit = readLimit(config.upload)",
    )
    log.agent("The sessionStore takes its uploadLimit from config.upload through readLimit when the store is opened.")
    read = [draft for draft in drafts_of(log) if "read, then said" in draft.cues]
    assert [draft.line.message for draft in read] == ["m3"]


def test_an_announcement_is_no_reading_of_a_result():
    log = Log()
    log.call("Read", '{"file_path": "api/store.ts"}', "const sessionStore = openStore(config.upload.limit)")
    log.agent("Let me check how sessionStore and openStore use config.upload.limit.")
    assert not any("read, then said" in draft.cues for draft in drafts_of(log))


EARLIER = """Analysis:
1. The user asked about the upload and I looked at the store of the sessions.

Summary:
1. User messages and constraints:
   - Never touch the generated client of the api.
2. Findings:
   - The session store is opened twice by the importer."""


def test_an_earlier_summary_tells_rules_as_rules_and_not_what_went_before_it():
    log = Log()
    log.add(Author.SUMMARY, EARLIER)
    assert [(draft.kind, draft.cues) for draft in drafts_of(log)] == [
        (FactKind.PROHIBITION, ("user told of",)), (FactKind.FINDING, ("mechanism",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "lasting"),
    [
        ("mise run test", True),
        ("pnpm --filter api test", True),
        ("mise run fmt && mise run lint", True),
        ("go test ./... -run TestUpload", False),
        ("pytest tests/unit/test_upload.py", False),
        ("pytest -k 'upload and not slow'", False),
        ("go test ./cmd/server/api/upload", False),
        ("npm test one two three four five six seven", False),
    ],
)
def test_a_command_made_for_one_occasion_is_no_way_of_running_things(command, lasting):
    log = Log()
    log.call("Bash", json.dumps({"command": command}), "fine")
    assert bool(told(log, FactKind.COMMAND)) is lasting


def test_the_last_whole_run_of_a_check_is_what_was_verified():
    log = Log()
    for command, answer in (
        ("pytest -q", "3 failed, 100 passed, 9 skipped in 9.1s"),
        ("pytest -q 2>&1 | tail -3", "collected\n412 passed, 9 skipped in 44.31s"),
        ("pytest tests/unit/test_upload.py", "14 passed in 1.1s"),
    ):
        log.call("Bash", json.dumps({"command": command}), answer)
    runs = [draft for draft in drafts_of(log) if "last run" in draft.cues]
    assert [(draft.quote, draft.kind) for draft in runs] == [("412 passed, 9 skipped in 44.31s", FactKind.STATE)]


def test_sentences_of_the_user_are_facts_of_their_own():
    log = Log()
    log.user("Add a counter for differences, please. The alert threshold will be 0 for 2 nights.")
    assert [draft.quote for draft in drafts_of(log)] == [
        "Add a counter for differences, please.", "The alert threshold will be 0 for 2 nights.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("No floats anywhere, not even in tests.", FactKind.PROHIBITION),
        ("Amounts are integers. No floats anywhere in the ledger.", FactKind.PROHIBITION),
        ("No problem, take the second one of them.", FactKind.APPROVAL),
    ],
)
def test_a_prohibition_needs_no_verb(words, kind):
    log = Log()
    log.user(words)
    assert drafts_of(log)[-1].kind is kind


def test_the_praise_of_a_review_is_no_fact():
    log = Log()
    log.agent(
        "## What was done well\n- The importer handles every error of the upload.\n"
        "## Issues\n- The importer drops the last row of the upload."
    )
    assert [draft.quote for draft in drafts_of(log)] == ["- The importer drops the last row of the upload."]


def test_a_comment_is_told_without_its_marks_and_the_code_below():
    code = "12→\t/* The cache must be cleared before the lock,\n13→\t * because readers keep rows. */\n14→x()"
    assert comment_of(code) == "The cache must be cleared before the lock, because readers keep rows."


def test_a_comment_is_told_without_the_numbers_of_its_lines():
    log = Log()
    code = "    12→// The cache must be cleared before the lock is taken, because readers keep stale rows."
    log.call("Read", '{"file_path": "/app/state.go"}', code)
    (found,) = [draft for draft in drafts_of(log) if "comment" in draft.cues]
    assert "12→" not in found.text
    assert found.text.endswith("The cache must be cleared before the lock is taken, because readers keep stale rows.")
