"""What a summary may state, and what has no source."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.added import find_added
from conversations.audit.segment import segments_of
from conversations.ingest.formats import parse_file
from tests.audit.segments import Author, Log, Origin, SummaryState, segment_of

TRANSCRIPTS = Path(__file__).parents[3] / "shared" / "transcripts" / "claude-code"


def added_of(log, summary, **fields):
    return [(item.kind, item.text) for item in find_added(segment_of(log.lines, summary, **fields))]


def shell(log, command, answer, **fields):
    return log.call("Bash", json.dumps({"command": command}), answer, **fields)


# --- requests --------------------------------------------------------------------------------------------------------

ASKED = "please add a retry limit to the upload queue before friday"


@pytest.mark.parametrize(
    "summary",
    [
        f'The user said: "{ASKED}".',
        'The user asked to "Please add a retry limit to the upload queue, before Friday".',
        'User requested "add a retry limit ... before friday" and nothing else.',
        '2. All user messages:\n   - "please add a retry limit to the uplaod queue before friday"',
        'The agent noted "this was never said by anybody at all" in passing.',
        'The user said "yes, do".',
    ],
)
def test_what_the_user_said_may_be_quoted(summary):
    log = Log()
    log.user(ASKED)

    assert added_of(log, summary) == []


INVENTED = "also write a migration guide for the old clients"


@pytest.mark.parametrize(
    "summary",
    [
        f'The user then asked: "{INVENTED}".',
        f"User feedback: “{INVENTED}”",
        f'6. All user messages:\n   - "{ASKED}"\n   - "{INVENTED}"\n7. Pending Tasks:\n   - none',
    ],
)
def test_a_request_nobody_made_is_added(summary):
    log = Log()
    log.user(ASKED)

    assert added_of(log, summary) == [("invented_request", INVENTED)]


def test_a_list_of_user_messages_ends_at_the_next_heading():
    log = Log()
    log.user(ASKED)
    summary = f'6. All user messages:\n   - "{ASKED}"\n7. Pending Tasks:\n   - "{INVENTED}"'

    assert added_of(log, summary) == []


@pytest.mark.parametrize(
    ("author", "fields"),
    [
        (Author.USER, {"origin": Origin.QUEUED}),
        (Author.PASTED, {}),
        (Author.SUMMARY, {}),
        (Author.HARNESS, {}),
    ],
)
def test_queued_pasted_and_earlier_requests_are_sources(author, fields):
    log = Log()
    log.add(author, f"Then {INVENTED}!", **fields)

    assert added_of(log, f'The user asked: "{INVENTED}".') == []


def test_an_answer_to_a_tool_that_asks_is_the_users():
    log = Log()
    log.call("AskUserQuestion", "{}", f'User has answered your questions: "Next?"="{INVENTED}"')

    assert added_of(log, f'The user answered: "{INVENTED}".') == []


def test_the_agents_own_words_are_not_the_users():
    log = Log()
    log.agent(f"I could {INVENTED}, if you like.")

    [item] = find_added(segment_of(log.lines, f'The user asked: "{INVENTED}".'))

    assert (item.kind, "the agent's own words" in item.reason) == ("invented_request", True)


def test_kept_messages_are_sources_too():
    kept = Log()
    kept.user(INVENTED)

    assert added_of(Log().idle(1), f'The user asked: "{INVENTED}".', kept=kept.lines) == []


# --- outcomes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "command"),
    [
        ("All tests pass.", "uv run pytest -q"),
        ("All 241 crypto tests pass.", "cd pkg && pnpm --filter crypto test:ci"),
        ("The test suite is green.", "cargo test --workspace"),
        ("The build succeeded.", "make build"),
        ("It compiles without warnings.", "go build ./..."),
        ("Linting is clean.", "mise run fmt && mise run lint 2>&1"),
        ("Type checking passes.", "npx tsc --noEmit"),
        ("The service was deployed to staging.", "./scripts/deploy.sh staging"),
        ("All changes were committed and pushed.", "git -c user.name=x commit -m done && git push"),
        ("Merged from main.", "git fetch && git merge origin/main"),
    ],
)
def test_a_claim_needs_a_run_of_its_kind(claim, command):
    log = Log()
    log.agent(claim)
    assert [kind for kind, _ in added_of(log, claim)] == ["unsupported_outcome"]

    shell(log, command, "fine")

    assert added_of(log, claim) == []


@pytest.mark.parametrize(
    "summary",
    [
        "The tests were not run, so whether all tests pass is open.",
        "Next: run the tests to verify that they pass.",
        "Commit once all tests pass.",
        "All tests should pass now.",
        "Tests 1 to 9 passed but test 10 failed.",
        "> All tests pass.",
        "```\nAll tests pass.\n```",
        "The test case passes the token along.",
    ],
)
def test_plans_conditions_and_quotations_claim_nothing(summary):
    assert added_of(Log().idle(2), summary) == []


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "No test run was run"),
        (["2 failed, 7 passed", "Exit code 1"], "Every test run before this compaction failed (2)"),
        (["9 passed", "1 failed, 8 passed"], "The last test run before this compaction failed"),
    ],
)
def test_the_reason_says_what_the_runs_show(answers, reason):
    log = Log()
    for answer in answers:
        shell(log, "pytest", answer)

    [item] = find_added(segment_of(log.lines, "All tests pass."))

    assert reason in item.reason


def test_looking_for_tests_is_not_running_them():
    log = Log()
    shell(log, "grep -rn test src | head && cat test.log && git log --grep test", "many")

    assert added_of(log, "All tests pass.") == [("unsupported_outcome", "All tests pass.")]


@pytest.mark.parametrize("author", [Author.USER, Author.TOOL_RESULT, Author.SUMMARY])
def test_what_others_report_is_a_source(author):
    log = Log()
    log.add(author, "I ran it: all tests pass.")

    assert added_of(log, "All tests pass.") == []


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "summary"),
    [
        ("cd api && ls", "See api/server.py."),
        ("/home/ann/work/api/server.py:12", "See api/server.py and `/home/ann/work/api`."),
        ("src\\\\net\\\\link.py", "See src/net/link.py."),
        ("commit 3f9a2b7c11d0e4", "The hash is 3f9a2b7."),
        ("1,309 passed", "1309 tests."),
        ("12345 rows", "12,345 rows."),
        ("took 4821 ms", "It took about 4800 ms, roughly 5000."),
        ("version 2.14.3", "Uses v2.14.3."),
        ("http 10.0.0.17:5432", "The host is 10.0.0.17."),
        ("read it", "Weigh the pros/cons, read/write and input/output."),
        ("read it", "Create a helper (e.g. `retry_helpers.py`)."),
        ("read it", "```\nimport ghost/spirit.py\n```"),
        ('{"path": "a\\\\nb/new_file.ts"}', "new_file.ts"),
    ],
)
def test_values_that_were_seen_in_another_form_have_a_source(seen, summary):
    log = Log()
    log.add(Author.TOOL_INPUT, f"Bash {seen} server.py")

    assert added_of(log, summary) == []


def test_what_was_said_before_an_earlier_compaction_has_a_source():
    log, before = Log(start=9), Log()
    log.agent("The contract tests wait for the sandbox.")
    before.user("The sandbox is at http://10.60.4.17:8090, 48213 rows.")
    summary = "Sandbox: http://10.60.4.17:8090 with 48213 rows, then 51977."

    assert added_of(log, summary, earlier=lambda: before.lines) == [("unseen_value", "51977")]


def test_what_was_said_before_is_only_read_where_a_source_is_missing():
    def unread():
        raise AssertionError("nothing is missing")

    log = Log()
    log.agent("It has 48213 rows.")

    assert added_of(log, "48213 rows.", earlier=unread) == []


@pytest.mark.parametrize(
    ("summary", "value"),
    [
        ("See src/net/phantom.py.", "src/net/phantom.py"),
        ("See `phantom_link.py` for more.", "phantom_link.py"),
        ("The hash is 9c01de4.", "9c01de4"),
        ("Needs version 3.77.1 at least.", "3.77.1"),
        ("The host is 10.9.8.7.", "10.9.8.7"),
        ("It has 48213 rows.", "48213"),
        ("See https://docs.example.org/phantom-guide for more.", "https://docs.example.org/phantom-guide"),
    ],
)
def test_a_value_never_seen_is_added(summary, value):
    log = Log()
    log.agent("See src/net/link.py at https://docs.example.org/guide, version 2.14.3.")

    assert added_of(log, summary) == [("unseen_value", value)]


def test_a_value_stated_twice_is_one_statement():
    log = Log().idle(1)

    [item] = find_added(segment_of(log.lines, "See phantom_link.py. Again: phantom_link.py"))

    assert item.start == 4


# --- when nothing can be said ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"complete": False}, {"summary_state": SummaryState.ENCRYPTED}])
def test_nothing_is_claimed_of_what_is_not_all_in_the_data(fields):
    assert added_of(Log().idle(1), "All tests pass. See phantom_link.py.", **fields) == []


@given(st.text(max_size=300), st.text(max_size=300))
def test_spans_lie_in_the_summary_and_say_what_they_claim(said, summary):
    log = Log()
    log.user(said)

    for item in find_added(segment_of(log.lines, summary)):
        assert item.text == summary[item.start : item.end]
        assert 0 < item.probability < 1


WORDS = st.sampled_from(
    [
        "The",
        "user",
        'asked "add a retry limit',
        'now"',
        "src/a.py",
        "phantom.py",
        "3f9a2b7",
        "1.2.3",
        "4711",
        "```",
        "\n",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_a_summary_that_is_a_copy_adds_nothing(text):
    log = Log()
    log.user(text)

    assert [item for item in find_added(segment_of(log.lines, text)) if item.kind != "unsupported_outcome"] == []


@pytest.mark.parametrize(
    "piece", ["a" * 64, '"', "```", "a/", "0.", "user said ", "9" * 30 + "f", "\x00\u202e", "tests "]
)
def test_adversarial_text_ends_in_bounded_time(piece):
    text = piece * (200_000 // len(piece))
    log = Log()
    log.user(text)
    begun = time.process_time()

    find_added(segment_of(log.lines, text + " "))
    find_added(segment_of(Log().idle(1).lines, text))

    assert time.process_time() - begun < 20  # a second or two; one quadratic pattern takes half an hour


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="the real transcripts are not at hand")
def test_real_summaries_have_next_to_no_false_alarms_and_changed_values_are_found():
    """17 summaries that people read word by word: nothing in them is without a source that rules could tell."""
    alarms, missed, tried = 0, 0, 0
    for path in sorted(TRANSCRIPTS.glob("*.jsonl")):
        for segment in segments_of(parse_file(path).events_and_problems()[0]):
            alarms += len(find_added(segment))
            if segment.complete and segment.summary:
                tried += 1
                planted = replace(segment, summary=f"{segment.summary}\nSee src/phantom/ghost_module.py.")
                missed += not any("ghost_module" in item.text for item in find_added(planted))

    assert tried >= 15
    assert (alarms, missed) == (0, 0)
