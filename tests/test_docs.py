"""The documentation names what there is."""

import re
from pathlib import Path

import pytest

from observatory.embedded import SETTINGS

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs/operating.md").read_text()


def environment_names():
    source = "\n".join(
        path.read_text() for folder in ("conversations", "observatory") for path in (ROOT / folder).rglob("*.py")
    )
    return sorted(set(re.findall(r'\benv_(?:str|int|float|bool|list|networks)\(\s*"([A-Z_]+)"', source)))


@pytest.mark.parametrize("name", environment_names())
def test_every_setting_is_documented(name):
    assert re.search(rf"^\| `{name}` \|", OPERATING, re.MULTILINE)


def test_no_setting_is_documented_that_is_not_there():
    documented = re.findall(r"^\| `((?:OBSERVATORY|DATABASE|CELERY|ANTHROPIC)_[A-Z_]+)` \|", OPERATING, re.MULTILINE)

    assert sorted(documented) == environment_names()


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_every_setting_of_the_embedded_postgres_has_its_reason(name, value):
    assert f"`{name}={value or repr(value)}`" in OPERATING


def test_every_dependency_has_its_reason():
    project = (ROOT / "pyproject.toml").read_text().split("[tool.", 1)[0]
    names = re.findall(r'^  "([a-z0-9-]+)[^"]*",?$', project.split("dependencies = [", 1)[1], re.MULTILINE)
    decisions = (ROOT / "docs/decisions.md").read_text()

    assert [name for name in names if f"`{name}`" not in decisions] == []


@pytest.mark.parametrize(
    "document", ["README.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_documents_lead_somewhere(document):
    path = ROOT / document
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text())

    assert [target for target in targets if not (path.parent / target).exists()] == []
