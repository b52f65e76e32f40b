import io

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Rule
from tests.alerts.rows import create_rule


def told(*args):
    out = io.StringIO()
    call_command("rules", *args, stdout=out)
    return out.getvalue()


def test_rules_go_out_to_the_screen_and_in_from_a_file(acme, tmp_path):
    create_rule(acme)
    file = tmp_path / "rules.yaml"
    file.write_text(told("export"))

    assert told("import", str(file)) == "0 made, 0 changed, 1 as they were.\n"
    file.write_text(file.read_text().replace("warning: 5.0", "warning: 6.0"))
    assert told("import", str(file)) == "0 made, 1 changed, 0 as they were.\n"
    assert Rule.objects.get().warning == 6


@pytest.mark.parametrize(
    ("text", "words"), [("rules: [", "This is not YAML"), ("rules: [{name: A}]", "rule 1"), (None, "cannot be read")]
)
def test_import_says_what_is_wrong(acme, tmp_path, text, words):
    file = tmp_path / "rules.yaml"
    if text:
        file.write_text(text)

    with pytest.raises(CommandError, match=words):
        told("import", str(file))
