import pytest

from observatory.env import BadSetting, env_bool, env_int, env_list, env_networks, env_str


def test_env_str_reads_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hidden\n")
    monkeypatch.setenv("OBSERVATORY_X_FILE", str(tmp_path / "secret"))

    assert env_str("OBSERVATORY_X") == "hidden"


def test_env_str_names_a_file_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("OBSERVATORY_X_FILE", str(tmp_path / "none"))

    with pytest.raises(BadSetting, match=r"OBSERVATORY_X_FILE names .*none, which cannot be read"):
        env_str("OBSERVATORY_X")


@pytest.mark.parametrize(("text", "value"), [("", 7), ("12", 12), ("-1", -1), ("1_000", 1000)])
def test_env_int_reads(monkeypatch, text, value):
    monkeypatch.setenv("OBSERVATORY_X", text)

    assert env_int("OBSERVATORY_X", 7) == value


def test_env_int_refuses_words(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_X", "many")

    with pytest.raises(BadSetting, match="OBSERVATORY_X must be a whole number, not 'many'"):
        env_int("OBSERVATORY_X", 7)


@pytest.mark.parametrize(
    ("text", "value"), [("", True), ("1", True), ("TRUE", True), ("on", True), ("0", False), ("no", False)]
)
def test_env_bool_reads(monkeypatch, text, value):
    monkeypatch.setenv("OBSERVATORY_X", text)

    assert env_bool("OBSERVATORY_X", default=True) is value


def test_env_bool_refuses_the_rest(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_X", "perhaps")

    with pytest.raises(BadSetting, match="OBSERVATORY_X must be true or false, not 'perhaps'"):
        env_bool("OBSERVATORY_X", default=True)


def test_env_list_splits_at_commas(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_X", " a, b ,,c")

    assert env_list("OBSERVATORY_X") == ["a", "b", "c"]


def test_env_networks_reads(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_X", "10.1.0.0/16, ::1")

    assert env_networks("OBSERVATORY_X") == ["10.1.0.0/16", "::1"]


def test_env_networks_refuses_names(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_X", "localhost")

    with pytest.raises(BadSetting, match="OBSERVATORY_X: 'localhost' does not appear to be"):
        env_networks("OBSERVATORY_X")
