import pytest

from conversations.audit.modality import affirmed, assured, flipped, removed, weakened
from conversations.audit.model import Detail


@pytest.mark.parametrize(
    ("source", "passage", "word"),
    [
        ("Never commit to main.", "Commits go to main.", "Never"),
        ("You must not edit the schema.", "Edit the schema as discussed.", "must not"),
        ("- Don't run the deploy script", "Run the deploy script", "Don't"),
        ("Tests must run before each push.", "Tests could run before each push.", "must"),
        ("Always answer in German", "Answers preferably in German", "Always"),
    ],
)
def test_weakened_finds_lost_force(source, passage, word):
    change = weakened(source, passage)
    assert change.detail is Detail.WEAKENED
    assert change.source == word
    assert word in change.reason


@pytest.mark.parametrize(
    ("source", "passage"),
    [
        ("Never commit to main.", "Commits to main are forbidden."),
        ("Never commit to main.", "Work without commits to main."),
        ("Do not touch the lock file", "The lock file stays untouched."),
        ("Tests must run before each push.", "Run the tests before each push."),
        ("so the two paths don't duplicate work", "The two paths share their work."),
        ("It must be fast, ideally below 1 s", "It could be below 1 s"),
        ("Use tabs.", "Use spaces."),
    ],
)
def test_weakened_leaves_kept_force_alone(source, passage):
    assert weakened(source, passage) is None


@pytest.mark.parametrize(
    ("source", "passage", "was", "now"),
    [
        ("The new tests were not run.", "New tests verified.", "were not run", "verified"),
        ("L4 was postponed.", "L4 is fixed.", "postponed", "fixed"),
        ("The migration is untested.", "All migration tests pass.", "untested", "All migration tests pass"),
        ("The cause is probably the cache.", "Root cause: the cache.", "probably", "Root cause"),
        ("Latency is estimated at 40 ms", "Latency measured at 40 ms", "estimated", "measured"),
    ],
)
def test_flipped_finds_work_rounded_up_and_guesses_made_certain(source, passage, was, now):
    change = flipped(source, passage)
    assert (change.detail, change.source, change.summary) == (Detail.FLIPPED, was, now)


@pytest.mark.parametrize(
    ("source", "passage"),
    [
        ("The new tests were not run.", "New tests written, not run yet; build verified."),
        ("The nil check is missing.", "Added the nil check."),
        ("The build failed.", "The build passes, fixed."),
        ("The cause is probably the cache.", "Root cause is likely the cache."),
        ("The cause is the cache.", "Root cause identified: the cache."),
        ("L4 was postponed.", "L4 has a todo."),
    ],
)
def test_flipped_leaves_progress_and_honest_words_alone(source, passage):
    assert flipped(source, passage) is None


@pytest.mark.parametrize(
    ("rule", "source", "passage", "found"),
    [
        (removed, "Do not delete `old_table`", "Deleted the `old_table` and its index", True),
        (removed, "Keep `old_table`", "Kept `old_table`, removed `new_table`", False),
        (removed, "Keep it simple", "Removed it", False),
        (affirmed, "The hook is never called", "The hook is called", True),
        (affirmed, "The server does not see keys", "Server sees keys", True),
        (affirmed, "The hook is never called", "The hook is unused", False),
        (affirmed, "It never runs and isn't tested", "It runs", False),
        (affirmed, "The hook is called", "The hook is called", False),
        (assured, "Perhaps the cache is stale", "The cache is stale", True),
        (assured, "Perhaps the cache is stale", "The cache seems stale", False),
        (assured, "The cache is stale", "The cache is stale", False),
    ],
)
def test_opposites_are_told_from_other_words(rule, source, passage, found):
    assert (rule(source, passage) is not None) == found
