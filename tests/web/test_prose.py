import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.web.highlight import Mark
from conversations.web.prose import Part, _emphasised, _marked, parts, render
from tests.web.test_highlight import HOSTILE, Balance

SUMMARY = """# Goal
Migrate **billing** to `ledger_v2`.
Never write to ledger_v1.

1. First step
   - a detail
- other

```python
x = 1  # **not bold**
```
End"""


def test_parts_reads_headings_lists_and_code():
    found = [(part.kind, part.level, part.sign, SUMMARY[part.start : part.end]) for part in parts(SUMMARY)]

    assert found == [
        ("heading", 1, "", "Goal"),
        ("paragraph", 0, "", "Migrate **billing** to `ledger_v2`.\nNever write to ledger_v1."),
        ("item", 0, "1.", "First step"),
        ("item", 1, "•", "a detail"),
        ("item", 0, "•", "other"),
        ("code", 0, "", "x = 1  # **not bold**"),
        ("paragraph", 0, "", "End"),
    ]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("2 * 3 * 4 ** 5", "<p>2 * 3 * 4 ** 5</p>"),
        ("[link](javascript:alert(1))", "<p>[link](javascript:alert(1))</p>"),
        ("![pic](https://evil.example/x.png)", "<p>![pic](https://evil.example/x.png)</p>"),
        ("<b>html</b>", "<p>&lt;b&gt;html&lt;/b&gt;</p>"),
        ("#hashtag", "<p>#hashtag</p>"),
        ("```\nopen <fence>", "<pre>open &lt;fence&gt;</pre>"),
        ("```\n```", "<pre></pre>"),
    ],
)
def test_render_reads_little_and_escapes_all(text, html):
    assert render(text) == html


def test_render_marks_places_across_emphasis():
    assert render("**ab** c", [Mark(3, 8, css="find")]) == (
        '<p><strong>a</strong><strong><mark class="find">b</mark></strong><mark class="find"> c</mark></p>'
    )


def test_render_is_safe_with_hostile_text():
    assert Balance(render(HOSTILE)).tags == {"p"}


@given(st.text(alphabet="ab*`#-1. \n<>&~\t\r", max_size=120))
def test_render_is_well_formed_whatever_the_text(text):
    html = Balance(render(text))

    assert html.open == []
    assert html.tags <= {"p", "pre", "div", "span", "strong", "code"}


@given(st.text(alphabet="ab*`# \n<\x00", max_size=80))
def test_render_of_unmarked_lines_is_what_a_mark_elsewhere_leaves_of_them(text):
    line = text.replace("\n", " ")
    part = Part("paragraph", 0, len(line))

    assert _emphasised(line, part) == _marked(line, part, [])


@given(st.text(max_size=200))
def test_parts_point_into_the_text_in_order(text):
    edges = [edge for part in parts(text) for edge in (part.start, part.end)]

    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
