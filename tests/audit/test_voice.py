from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.model import Author, Line
from conversations.audit.voice import stretches
from conversations.vocabulary import Role


def parts(text):
    line = Line("m1", 0, Role.USER, Author.USER, text, 1)
    return [(part.author.value, text[part.start : part.end].strip()) for part in stretches(line)]


PLAN = "\n".join(f"- step {n} changes the module so that it does what is wanted" for n in range(14))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please rename the flag.", [("user", "Please rename the flag.")]),
        ("<system-reminder>be kind</system-reminder>Rename it please", [("user", "Rename it please")]),
        (
            "<command-name>/review</command-name>\n<command-args>all of phase 14</command-args>",
            [("user", "all of phase 14")],
        ),
        ("[Request interrupted by user]", []),
        (
            "Add the plan.\nIf you need specific details from before this, read the full transcript at: /a.jsonl",
            [("user", "Add the plan.")],
        ),
        ("<bash-stdout>total 4</bash-stdout>", []),
        ("Stop hook feedback: run the linter", []),
        ("<system-reminder>never closed", []),
    ],
)
def test_the_harness_s_words_are_nobody_s_voice(text, expected):
    assert parts(text) == expected


def test_a_plan_after_its_announcement_is_pasted():
    assert parts(f"Implement the following plan:\n{PLAN}") == [
        ("user", "Implement the following plan:"),
        ("pasted", PLAN),
    ]


def test_a_log_in_the_middle_is_pasted_and_the_question_behind_it_is_not():
    log = "ERROR one\nERROR two\nERROR three\nERROR four"
    assert parts(f"It fails again\n{log}\n\nwhat does that mean?") == [
        ("user", "It fails again"),
        ("pasted", log),
        ("user", "what does that mean?"),
    ]


def test_a_code_fence_is_pasted():
    assert parts("Why does this hang?\n```\nx = f(x)\n```\nIt did not last week") == [
        ("user", "Why does this hang?"),
        ("pasted", "```\nx = f(x)\n```"),
        ("user", "It did not last week"),
    ]


def test_a_turn_too_long_to_be_typed_is_pasted():
    text = "Have a look at this." + "\n\n" + "It goes on and on. " * 200
    assert [author for author, _ in parts(text)] == ["user", "pasted"]


@given(st.text(alphabet=st.sampled_from("a-<>/`\n :?[]#{};1."), max_size=300))
def test_stretches_lie_inside_the_text_and_do_not_overlap(text):
    line = Line("m1", 0, Role.USER, Author.USER, text, 1)
    found = stretches(line)
    assert all(0 <= part.start < part.end <= len(text) for part in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
