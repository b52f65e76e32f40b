import pytest

from conversations.web.blocks import FOLDED_SHOWN, LINE_SHOWN, TEXT_SHOWN, call_names, shown


@pytest.mark.parametrize(
    ("block", "label", "line"),
    [
        (
            {"type": "tool_call", "name": "Bash", "input": {"description": "Run", "command": "make\ntest"}},
            "Bash",
            "make",
        ),
        ({"type": "tool_call", "name": "Odd", "input": {"n": 1}}, "Odd", '{"n":1}'),
        ({"type": "tool_call", "name": "Shell", "input": "ls -la"}, "Shell", "ls -la"),
        ({"type": "tool_call", "name": "Bare"}, "Bare", "(empty)"),
        ({"type": "tool_result", "id": "t1", "text": "\n  2 passed\nmore"}, "Bash result", "2 passed"),
        ({"type": "tool_result", "id": "t9", "text": ""}, "tool result", "(empty)"),
        ({"type": "thinking", "text": ""}, "thought", "not readable: only its signature was sent"),
        ({"type": "image", "media_type": "image/png"}, "attachment", "image/png, not stored"),
    ],
)
def test_shown_says_what_a_block_is_in_one_line(block, label, line):
    [part] = shown([block], names={"t1": "Bash"})

    assert (part.label, part.line) == (label, line)


def test_shown_leaves_out_the_end_of_long_text():
    [text, result] = shown([{"type": "text", "text": "a" * 5000}, {"type": "tool_result", "text": "b" * 5000}])

    assert (len(text.body), text.more) == (TEXT_SHOWN, 5000 - TEXT_SHOWN)
    assert (len(result.body), result.more, result.folded) == (FOLDED_SHOWN, 5000 - FOLDED_SHOWN, True)


def test_shown_moves_to_what_was_looked_for():
    [part] = shown([{"type": "tool_result", "text": "x" * 9000 + "Needle" + "y" * 9000}], query="needle")

    assert '<mark class="find">Needle</mark>' in part.body
    assert part.opened


def test_shown_whole_leaves_nothing_out():
    [part] = shown([{"type": "text", "text": "a" * 100_000}], whole=True)

    assert (len(part.body), part.more) == (100_000, 0)


def test_shown_reads_a_models_text_as_prose_and_a_persons_as_typed():
    block = {"type": "text", "text": "**now**"}

    assert shown([block], prose=True)[0].body == "<p><strong>now</strong></p>"
    assert shown([block])[0].body == "**now**"


def test_shown_keeps_a_long_line_to_one_line():
    [part] = shown([{"type": "tool_result", "text": "z" * 1000}])

    assert len(part.line) == LINE_SHOWN


def test_call_names_finds_calls_of_all_messages():
    assert call_names([[{"type": "tool_call", "id": "a", "name": "Read"}], [{"type": "text", "text": ""}]]) == {
        "a": "Read"
    }


def test_shown_folds_what_the_harness_wrote_at_length():
    short, long = {"type": "text", "text": "Caveat."}, {"type": "text", "text": "Skill: \n" * 200}

    assert [part.folded for part in shown([short, long], aside=True)] == [False, True]
    assert [part.folded for part in shown([short, long])] == [False, False]
