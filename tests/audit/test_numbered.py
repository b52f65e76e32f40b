import pytest

from conversations.audit.numbered import told
from conversations.audit.passages import PassageIndex

SUMMARY = """New comments found:
- 2738999831: Ambiguous SHA prefix returns "not found"
- `2738999802` - Stray line in a doc comment
3. **2738999818**: O(N*M) complexity of the ancestor search
Replied to comments: 2734651385, 2734651397
"""


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("ID 2738999831, line 236: several checkpoints match the prefix that was given", "2738999831: Ambiguous"),
        ("2738999802 | Line 1272 | There's a stray standalone comment line", "2738999802` - Stray"),
        ("Both are open: 2738999831 (prefix) and 2738999818 (search)", "2738999818**: O(N*M)"),
        ("ID 2738999831: the tests use one account for all roles", None),  # no word of it
        ("2738999831 (prefix) and 2739344224 (help text) are open", None),  # one of the two is told
        ("2734651385: the iterator is not closed", None),  # named in a row of numbers, not told
        ("The colour of 2738999831.5 ms is odd", None),
        ("Nothing with a number", None),
    ],
)
def test_what_is_told_under_its_number_is_kept(text, entry):
    judgement = told(text, PassageIndex(SUMMARY))
    said = SUMMARY[judgement.start : judgement.end] if judgement else None
    assert (said or "").startswith(entry or "") is True
    assert (judgement is None) is (entry is None)
