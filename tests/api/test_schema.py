import json

import pytest
from django.core.management import call_command
from django.test import Client

from conversations.api import urls
from tests.factories import create_api_key


@pytest.fixture(scope="module")
def document():
    return Client().get("/api/v1/schema?format=json").json()


def test_document_is_valid_and_complete(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))

    assert (tmp_path / "schema.yml").stat().st_size > 0


def test_document_names_every_endpoint(document):
    ours = {
        "/api/v1/" + str(pattern.pattern).replace("<int:", "{").replace(">", "}")
        for pattern in urls.urlpatterns
        if pattern.name not in ("api_schema", "api_docs")
    }

    assert set(document["paths"]) == ours


def test_every_operation_has_a_summary_a_description_and_faults(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert {"401", "403"} <= set(operation["responses"]), (path, method)
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])


def test_every_reference_leads_somewhere(document):
    def references(value):
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    schemas = document["components"]["schemas"]

    assert {reference.rpartition("/")[2] for reference in references(document)} <= set(schemas)


def test_example_of_a_batch_is_taken_as_it_stands(document, client, acme):
    content = document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    [example] = content["examples"].values()
    _, key = create_api_key(acme)

    response = client.post(
        "/api/v1/events?wait=1",
        json.dumps(example["value"]),
        content_type="application/json",
        headers={"X-API-Key": key},
    )

    assert {result["status"] for result in response.json()["results"]} == {"accepted"}


def test_documentation_page_loads_nothing_from_elsewhere(client, db):
    page = client.get("/api/v1/docs/").content.decode()

    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
