from pathlib import Path

import pytest

from observatory.embedded import SETTINGS, Cluster


def test_socket_lies_beside_the_data_where_the_path_is_short():
    assert Cluster(Path("/srv/observatory")).socket_dir == Path("/srv/observatory/postgres")


@pytest.mark.parametrize("path", ["/srv/" + "long/" * 20, "/srv/with space", "/srv/it's"])
def test_socket_lies_under_tmp_where_the_path_cannot_be_a_sockets(path):
    first, second = Cluster(Path(path)).socket_dir, Cluster(Path(path + "x")).socket_dir

    assert first.parent == Path("/tmp")
    assert len(str(first / ".s.PGSQL.5432")) < 60
    assert first != second


def test_durability_is_not_tuned():
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & set(SETTINGS)


@pytest.mark.parametrize("content", [None, "", "not a number\n", "999999999\n"])
def test_database_does_not_run_where_its_file_is_missing_or_was_left_behind(tmp_path, content):
    (tmp_path / "postgres").mkdir()
    if content is not None:
        (tmp_path / "postgres/postmaster.pid").write_text(content)

    assert Cluster(tmp_path).running() is None
    assert not Cluster(tmp_path).is_ready()
