"""/docs and /openapi.json: the interface, described in both languages."""

import re

import pytest

from jvgate import __version__
from jvgate.question.parameters import PARAMETERS
from tests.web.pages.languages import speaks_both


@pytest.fixture(scope="module")
def openapi(web):
    response = web.get("/openapi.json")
    assert response.status_code == 200
    return response.json()


def operations(openapi):
    return [operation for methods in openapi["paths"].values() for operation in methods.values()]


def test_the_interface_is_described_in_both_languages(openapi):
    assert openapi["info"]["version"] == __version__
    assert speaks_both(openapi["info"]["description"])
    for operation in operations(openapi):
        assert speaks_both(operation["summary"] + operation["description"]), operation["operationId"]


def test_every_parameter_of_data_is_described_in_both_languages(openapi):
    parameters = openapi["paths"]["/api/v1/data/{dataspec}"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"dataspec", *PARAMETERS}
    assert [parameter["name"] for parameter in parameters if not speaks_both(parameter["description"])] == []


def test_every_operation_has_a_name_of_its_own(openapi):
    names = [operation["operationId"] for operation in operations(openapi)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/data/{dataspec}", "/api/v1/dataspecs", "/api/v1/dataspecs/{id}", "/api/v1/records",
        "/api/v1/records/{type}", "/api/v1/codes", "/api/v1/codes/{table}", "/healthz", "/readyz", "/metrics",
    ],
)  # fmt: skip
def test_every_route_of_the_design_is_described(openapi, path):
    assert "get" in openapi["paths"][path]


def test_no_answer_is_promised_that_is_never_given(openapi):
    """Whatever is wrong is a problem document; FastAPI's own 422 does not exist here."""
    for operation in operations(openapi):
        assert "422" not in operation["responses"], operation["operationId"]


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")  # fastapi_swagger reads its files so
def test_the_docs_page_needs_nothing_from_elsewhere(web):
    page = web.get("/docs")
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    links = [link.removeprefix(str(web.base_url)) for link in re.findall(r'(?:src|href)="([^"]+)"', page.text)]
    assert links
    for link in links:
        assert not re.match(r"(https?:)?//", link), link
        assert link.startswith("data:") or web.get(link).status_code == 200, link
