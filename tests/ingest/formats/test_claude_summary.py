import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.formats.claude_summary import is_wrapped, unwrap

OPENING = "This session is being continued from a previous conversation that ran out of context."
COVERS = " The summary below covers the earlier portion of the conversation.\n\n"
POINTER = "If you need specific details from before compaction (like code), read the full transcript at: /x.jsonl"
TOOLS = "<system-reminder>\n<tools-used-before-summary>Read, Edit</tools-used-before-summary>\n</system-reminder>\n\n"
GO_ON = "Continue the conversation from where it left off without asking the user any further questions."
RECENT = "The messages after this summary are the most recent messages from before compaction, kept verbatim."


@pytest.mark.parametrize(
    ("prefix", "text", "suffix"),
    [
        (f"{OPENING} The conversation is summarized below:\n", "Analysis:\nIt went well..", ""),
        (OPENING + COVERS, "Analysis:\nFine.\n\nSummary:\n1. Port 8443.", f"\n\n{POINTER}"),
        (
            OPENING + COVERS,
            "Analysis:\nFine.",
            f"\n\n{POINTER}\nPlease continue the conversation from where we left it off.",
        ),
        (f"{OPENING}{COVERS}Summary:\n", "1. Port 8443.", f"\n\n{POINTER}\n{GO_ON} Resume directly."),
        (f"{OPENING}{COVERS}{TOOLS}Summary:\n", "1. Port 8443.", f"\n\n{POINTER}\n{GO_ON}\n\n{RECENT}"),
        (OPENING + COVERS, "1. Port 8443.", f"\n{GO_ON}"),
        (OPENING + COVERS, "1. Port 8443.", "\n\nRecent messages are preserved verbatim."),
        ("", "A summary in words of its own.", ""),
    ],
)
def test_unwrap_takes_off_the_wrapping_of_all_versions(prefix, text, suffix):
    summary = unwrap(prefix + text + suffix)

    assert (summary.prefix, summary.text, summary.suffix) == (prefix, text, suffix)


def test_unwrap_leaves_a_quotation_further_up_alone():
    text = f"1. The last summary ended: {POINTER}\n" + "2. Then much more happened. " * 200

    assert unwrap(OPENING + COVERS + text).text == text


@given(
    st.text()
    | st.tuples(st.sampled_from([OPENING, OPENING + COVERS]), st.text(), st.sampled_from([POINTER, GO_ON])).map("".join)
)
def test_unwrap_loses_nothing(text):
    summary = unwrap(text)

    assert summary.prefix + summary.text + summary.suffix == text


def test_is_wrapped_tells_a_summary_by_its_opening():
    assert is_wrapped(OPENING + " Done.")
    assert not is_wrapped("Continue, please.")
