import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.entities import EntityKind, entities, key, same

K = EntityKind
MESSY = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("aZ09/\\._:#-%`'\"$@~ \n\t\u202e\u0000")), max_size=300
)


def found(text, cwd=""):
    return [(e.kind, e.value) for e in entities(text, cwd) if e.kind is not K.QUOTED]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see src/a/b.ts:12 now", [(K.PATH, "src/a/b.ts")]),
        ("see ./src/a.py:3:5.", [(K.PATH, "src/a.py")]),
        ("/home/me/app/src/a.py", [(K.PATH, "src/a.py")]),
        (r"C:\app\new.txt", [(K.PATH, "C:/app/new.txt")]),
        (r"src\app\main.py", [(K.PATH, "src/app/main.py")]),
        ("main.go:7:func run", [(K.PATH, "main.go")]),
        ("guide.md#L4-L9", [(K.PATH, "guide.md")]),
        (r"one\ntwo\nthree", []),
        ("client/server and/or e.g. U.S.", []),
        ("on `team/topic` now", [(K.PATH, "team/topic")]),
        ("https://a.example/x?y=1).", [(K.URL, "https://a.example/x?y=1")]),
        ("localhost:5173 and :8080", [(K.PORT, "5173"), (K.PORT, "8080")]),
        ("commit 1a381f7d8", [(K.HASH, "1a381f7d8")]),
        ("52d202a11..64172b7b0", [(K.HASH, "52d202a11"), (K.HASH, "64172b7b0")]),
        ("deadbeef defaced", []),
        ("#123 GH-7 ABC-42 #000000", [(K.ISSUE, "123"), (K.ISSUE, "7"), (K.ISSUE, "ABC-42")]),
        ("v2.1.3 and 0.4.0", [(K.VERSION, "2.1.3"), (K.VERSION, "0.4.0")]),
        ("$DATABASE_URL", [(K.ENV, "DATABASE_URL")]),
        ("parseThing() foo_bar self.lookUp plain", [(K.SYMBOL, v) for v in ("parseThing", "foo_bar", "self.lookUp")]),
        ("--dry-run", [(K.FLAG, "--dry-run")]),
        ("LOG_DIR=var/log/app", [(K.ENV, "LOG_DIR"), (K.PATH, "var/log/app")]),
        ("1,000 and 1000 and 1k", [(K.NUMBER, "1000")] * 3),
        ("1.5M rows", [(K.NUMBER, "1500000")]),
        ("2.5s, 90 minutes, 30 s, 200ms", [(K.DURATION, v) for v in ("2.5", "5400", "30", "0.2")]),
        ("5 MB", [(K.SIZE, "5000000")]),
        ("40% or 40 percent", [(K.PERCENT, "40"), (K.PERCENT, "40")]),
        ("2026-02-21, Feb 21, 2026 and 21 February 2026", [(K.DATE, "2026-02-21")] * 3),
        ("plain words only.", []),
    ],
)
def test_entities_are_canonical(text, expected):
    assert found(text, cwd="/home/me/app") == expected


@pytest.mark.parametrize("text", ["`the thing`", '"the thing"', "“the  thing”", "'The thing'"])
def test_entities_know_quoted_strings(text):
    assert [(e.kind, e.value) for e in entities(text)] == [(K.QUOTED, "the thing")]


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("/x/y/src/a.py", "src/a.py", True),
        ("lib/a.py", "src/a.py", False),
        ("xsrc/a.py", "src/a.py", False),
        ("1a381f7d8", "1a381f7d8c0ffee0", True),
        ("1a381f7d8", "1a381f7e8", False),
        ("241 tests", "241 crypto tests", True),
        ("3 files", "3 tests", False),
        ("1,000 tokens", "1k tokens", True),
        ("60 seconds", "1 min", True),
        ("60%", "60 files", False),
    ],
)
def test_same_compares_what_is_meant(a, b, alike):
    (one, *_), (other, *_) = entities(a), entities(b)
    assert same(one, other) is alike
    assert same(other, one) is alike
    assert not alike or key(one) == key(other)


@given(MESSY)
def test_entities_stand_where_they_say_and_are_the_same_when_read_alone(text):
    for entity in entities(text):
        assert 0 <= entity.start < entity.end <= len(text)
        assert entity.value
        assert same(entity, entity)


@given(MESSY, MESSY)
def test_entities_of_a_line_do_not_depend_on_the_next(a, b):
    one = [(e.kind, e.value, e.start) for e in entities(a.replace("\n", " "))]
    both = [(e.kind, e.value, e.start) for e in entities(a.replace("\n", " ") + "\n\n" + b)]
    assert set(one) <= set(both)


@pytest.mark.parametrize(
    "piece", ["a/", "1", "1,", "a_", "aB", "-", "a.", "0x", "`", '"', "#1", "\\", ":1", "$", "A_", "é", "1."]
)
def test_entities_of_a_huge_line_are_few_or_short(piece):
    text = piece * (600_000 // len(piece))
    assert sum(e.end - e.start for e in entities(text)) <= 2 * len(text)
