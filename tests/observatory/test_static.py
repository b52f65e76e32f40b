"""What is collected for browsers."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage

from conversations.ops.preparation import collect_static
from observatory.static import LEFT_OUT

TEMPLATES = Path(__file__).parents[2] / "templates"


def named():
    """The files that pages name."""
    pages = "\n".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    return set(re.findall(r"{% static [\"']([^\"']+)[\"'] %}", pages))


def sizes():
    """Name → bytes of every file that would be collected."""
    found = (each for finder in get_finders() for each in finder.list(LEFT_OUT))
    return {name: Path(storage.path(name)).stat().st_size for name, storage in found}


def test_every_file_that_a_page_names_is_collected():
    assert named() - set(sizes()) == set()


def test_nothing_large_is_collected_that_no_page_names():
    assert {name for name, size in sizes().items() if size > 20_000} - named() == set()


@pytest.fixture
def collected(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "observatory.static.Storage"}}
    collect_static()
    return settings.STATIC_ROOT


def test_nothing_else_is_collected(collected):
    files = {path.relative_to(collected).as_posix() for path in collected.rglob("*") if path.is_file()}
    names = {staticfiles_storage.stored_name(name) for name in sizes()} | {"staticfiles.json", ".collected"}

    assert {name.removesuffix(".gz") for name in files} == names


def test_collected_files_have_their_hash_in_the_name_and_are_compressed(collected):
    for name in named():
        path = collected / staticfiles_storage.stored_name(name)

        assert re.search(r"\.[0-9a-f]{12}\.\w+$", path.name)
        assert path.with_name(f"{path.name}.gz").stat().st_size < path.stat().st_size


def test_files_are_collected_again_only_when_one_has_changed(collected, tmp_path, settings):
    left = collected / "left.txt"
    left.write_text("a second collection would remove this")

    collect_static()
    assert left.exists()

    (tmp_path / "more").mkdir()
    (tmp_path / "more/new.css").write_text("p { color: inherit }")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "more"]
    collect_static()
    assert not left.exists()
