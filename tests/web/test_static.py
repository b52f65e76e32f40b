"""Promises about the files that browsers load."""

import re
from itertools import chain
from pathlib import Path

import plotly.offline
import pytest

ROOT = Path(__file__).parents[2]
TOKENS = (ROOT / "static/css/tokens.css").read_text()
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN = sorted(chain((ROOT / "static/css").glob("*.css"), (ROOT / "static/js").glob("*.js"), TEMPLATES))

#: (text or graphic, ground, least contrast): 4.5 to 1 for text, 3 to 1 for what is not read (WCAG 2.2 AA).
PAIRS = [
    *[(ink, f"surface{depth}", 4.5) for ink in ("ink", "ink-muted", "accent") for depth in ("", "-raised", "-sunken")],
    *[(ink, "surface", 4.5) for ink in ("kept", "altered", "forgotten")],
    *[(ink, "surface-raised", 4.5) for ink in ("kept", "altered", "forgotten")],
    *[("ink", f"{outcome}-tint", 4.5) for outcome in ("kept", "altered", "forgotten", "accent")],
    *[(outcome, f"{outcome}-tint", 4.5) for outcome in ("kept", "altered", "forgotten")],
    ("on-accent", "accent", 4.5),
    ("control-line", "surface", 3),
]  # fmt: skip


def colours():
    """Token → (light, dark)."""
    return {
        name: pair for name, *pair in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", TOKENS)
    }


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_colours_can_be_read(ink, ground, least, scheme):
    assert contrast(colours()[ink][scheme], colours()[ground][scheme]) >= least


def test_every_colour_of_the_tokens_is_in_a_pair():
    assert set(colours()) == {name for ink, ground, _ in PAIRS for name in (ink, ground)} | {
        "line"
    }  # line only divides


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_only_tokens_css_has_colours(path):
    found = re.findall(
        r"(?<!&)#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b(?![\w-])|\b(?:rgb|hsl|oklch)a?\([^)0]", path.read_text()
    )

    assert bool(found) == (path.name == "tokens.css")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_have_nothing_inline(path):
    text = path.read_text()

    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style\b|\sstyle=|\son[a-z]+=|javascript:|hx-on", text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_load_nothing_from_elsewhere_and_trust_no_text(path):
    text = path.read_text()

    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []
    assert re.findall(r"\|\s*safe\b|autoescape off", text) == []


def test_every_template_variable_of_css_is_a_token():
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", (ROOT / "static/css/site.css").read_text()))

    assert used <= set(re.findall(r"(--[a-z0-9-]+):", TOKENS))


@pytest.mark.parametrize(
    ("name", "inside"),
    [("htmx-*.min.js", r'version[=:]"([\d.]+)"'), ("plotly-basic-*.min.js", r"minified\) v([\d.]+)")],
)
def test_vendored_files_are_the_versions_they_are_named_for(name, inside):
    [path] = (ROOT / "static/vendor").glob(name)

    version = re.search(r"-([\d.]+)\.min", path.name)[1]

    assert version in re.findall(inside, path.read_text())
    assert version in (ROOT / "static/vendor/README.md").read_text()
    assert any(path.name in template.read_text() for template in TEMPLATES)


def test_vendored_plotly_is_the_one_figures_are_validated_with():
    [path] = (ROOT / "static/vendor").glob("plotly-basic-*.min.js")

    assert path.name == f"plotly-basic-{plotly.offline.get_plotlyjs_version()}.min.js"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_need_no_script_that_is_evaluated(path):
    """The policy forbids it: a condition in hx-trigger, hx-on and js: silently do nothing."""
    assert not re.search(r'hx-trigger="[^"]*\[|\shx-on|="js:', path.read_text())
