import json
import re
import subprocess
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

import conversations.recorder
from conversations.models import ApiKey, Batch
from conversations.web.connect import PLACEHOLDER, WAYS, filled
from tests.factories import create_batch, create_conversation

PAGE = "/w/acme/connect/"
RECORDER = Path(conversations.recorder.__file__).parent
VALUES = {
    "url": "https://observatory.example.org",
    "key": "obs_" + "k" * 43,
    "wheel": "https://x/r.whl",
    "slug": "acme",
}
SNIPPETS = sorted({snippet.file: snippet for way in WAYS for snippet in way.snippets}.items())


@pytest.mark.parametrize("name", [name for name, _ in SNIPPETS])
def test_snippet_is_valid(name):
    text = filled(dict(SNIPPETS)[name], VALUES)

    if name.endswith(".py"):
        compile(text, name, "exec")
    else:
        checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
    assert "{{" not in text
    assert "&amp;" not in text


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_every_way_carries_address_and_key(way):
    text = "\n".join(filled(snippet, VALUES) for snippet in way.snippets)

    assert VALUES["url"] in text
    assert VALUES["key"] in text


def snippets_on(response):
    return "\n".join(snippet.text for _, snippets in response.context["ways"] for snippet in snippets)


def test_page_has_a_placeholder_for_the_key(alice, bob):
    for client in (alice, bob):
        response = client.get(PAGE)
        assert PLACEHOLDER in snippets_on(response)
        assert "http://testserver/api/v1/exchanges" in snippets_on(response)
    assert "Make a key" in alice.get(PAGE).content.decode()
    assert "Make a key" not in bob.get(PAGE).content.decode()


def test_key_is_made_on_a_press_and_shown_once(alice, acme):
    response = alice.post(f"{PAGE}key/")

    row = ApiKey.objects.get()
    key = response.context["key"]
    assert (row.workspace, row.scopes, row.created_by) == (acme, ["ingest"], alice.user)
    assert key.startswith(row.prefix)
    assert PLACEHOLDER not in snippets_on(response)
    assert snippets_on(response).count(key) >= len(WAYS)
    assert "no-store" in response.headers["Cache-Control"]
    assert key not in alice.get(PAGE).content.decode()


def test_only_admins_make_keys(bob):
    assert bob.post(f"{PAGE}key/").status_code == 403
    assert not ApiKey.objects.exists()


def test_page_names_the_public_address(alice, settings):
    settings.PUBLIC_URL = "https://observatory.example.org/"

    assert "https://observatory.example.org/api/v1/events" in snippets_on(alice.get(PAGE))


def test_recorder_is_served_where_the_snippets_say(alice, client):
    [address] = set(re.findall(r"pip install (\S+)", snippets_on(alice.get(PAGE))))

    response = client.get(address.removeprefix("http://testserver"))

    assert response.status_code == 200
    assert {"observatory_recorder/litellm_callback.py", "observatory_recorder/langchain_handler.py"} <= set(
        ZipFile(BytesIO(response.content)).namelist()
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_snippets_import_what_the_recorder_has(way):
    imported = [
        (module.removeprefix("observatory_recorder"), name.strip())
        for snippet in way.snippets
        for module, names in re.findall(r"from (observatory_recorder\S*) import (.+)", filled(snippet, VALUES))
        for name in names.split(",")
    ]

    for module, name in imported:
        source = (RECORDER / f"{module.removeprefix('.') or '__init__'}.py").read_text()
        assert re.search(rf"\b{name}\b", source), (module, name)


def test_every_snippet_can_be_copied(alice):
    page = alice.get(PAGE).content.decode()

    assert sorted(re.findall(r'data-copy="([^"]+)"', page)) == sorted(re.findall(r'<pre[^>]* id="([^"]+)"', page))


# --- the look-out -----------------------------------------------------------------------------------------------------


def ask(client, page):
    """What the page's own look-out asks for."""
    found = re.search(r'hx-get="([^"]+)"', page.content.decode())
    return client.get(found[1].replace("&amp;", "&")) if found else None


def test_look_out_turns_into_the_conversation(alice, acme, globex):
    create_batch(acme, found={"conversations": ["old"]})
    create_conversation(acme, external_id="old", title="From before")
    page = alice.get(PAGE)
    create_batch(globex, found={"conversations": ["foreign"]})

    first = ask(alice, page)
    batch = create_batch(acme, state="pending", digested_at=None)
    second = ask(alice, first)
    conversation = create_conversation(acme, external_id="new", title="Refund <8812>")
    Batch.objects.filter(pk=batch.pk).update(state="digested", found={"conversations": ["new"]})
    third = ask(alice, second)

    assert "Waiting for your first event" in first.content.decode()
    assert "is being read" in second.content.decode()
    assert f'<a href="{conversation.get_absolute_url()}">Refund &lt;8812&gt;</a>' in third.content.decode()
    assert ask(alice, third) is None


@pytest.mark.parametrize("fields", [{"state": "failed"}, {"rejected": 1, "found": {"conversations": []}}])
def test_look_out_tells_what_could_not_be_read(alice, acme, fields):
    page = alice.get(PAGE)
    batch = create_batch(acme, **fields)

    answer = ask(alice, page).content.decode()

    assert "no conversation was found in it" in answer
    assert f"/w/acme/batches/{batch.pk}/" in answer


def test_look_out_asks_less_and_less_and_then_no_more(alice):
    page, pauses = alice.get(PAGE), []
    while page is not None:
        found = re.search(r"delay:(\d+)s", page.content.decode())
        pauses += [int(found[1])] if found else []
        last, page = page, ask(alice, page)

    assert pauses[:9] == [2, 2, 3, 5, 8, 13, 20, 30, 30]
    assert len(pauses) == 60
    assert "Nothing has arrived so far" in last.content.decode()


@pytest.mark.parametrize("query", ["", "?since=x&asked=y", "?since=-1&asked=99999999999999999999999"])
def test_look_out_bears_any_query(alice, query):
    assert alice.get(f"{PAGE}waiting/{query}").status_code == 200


@pytest.mark.parametrize("way", ["exchanges", "events"])
def test_what_curl_sends_is_taken(client, acme, alice, way):
    """The very body and headers of the snippet; tests/e2e runs it in a shell."""
    key = alice.post(f"{PAGE}key/").context["key"]
    [snippet] = next(each for each in WAYS if each.key == way).snippets
    text = filled(snippet, {**VALUES, "url": "http://testserver", "key": key})
    address = re.search(r'curl "http://testserver([^"]+)"', text)[1]
    body = text.split("<<'JSON'\n", 1)[1].rsplit("\nJSON", 1)[0]
    headers = dict(re.findall(r'-H "([^:]+): ([^"]+)"', text))

    answer = client.post(
        address, body, content_type=headers["Content-Type"], headers={"Authorization": headers["Authorization"]}
    )

    assert answer.status_code == 207
    assert {each["status"] for each in answer.json()["results"]} == {"accepted"}
    assert json.loads(body)
