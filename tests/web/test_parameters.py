"""OpenAPI parameters are typed from the one declaration."""

import pytest

from jvgate.question.parameters import DATASPEC, PARAMETERS, PURGE, Boolean, Integer, Text, Words
from jvgate.render.formats.registry import charsets, offered_formats, offered_streams
from jvgate.settings import Settings
from jvgate.web.routes import movies, pictures

DATA = {"dataspec": DATASPEC, **PARAMETERS}
FORMATS, STREAMS = offered_formats(Settings()), offered_streams(Settings())
ROUTES = [
    ("/api/v1/data/{dataspec}", "get", DATA, {"format": FORMATS, "charset": charsets(FORMATS)}),
    ("/api/v1/stream/{dataspec}", "get", DATA, {"format": STREAMS, "charset": charsets(STREAMS)}),
    ("/api/v1/cache", "delete", PURGE, {}),
    ("/api/v1/silks", "get", {"pattern": pictures.PATTERN}, {}),
    ("/api/v1/courses/{key}", "get", {"key": pictures.KEY}, {}),
    ("/api/v1/courses/{key}/image", "get", {"key": pictures.KEY}, {}),
    ("/api/v1/movies/{type}/{key}", "get", {"type": movies.RACE_TYPE, "key": movies.RACE_KEY}, {}),
    ("/api/v1/movies/{type}", "get", {"type": movies.LIST_TYPE, "key": movies.LIST_KEY}, {}),
]
CASES = [(path, method, one, words) for path, method, taken, words in ROUTES for one in taken.values()]
JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list}


@pytest.fixture(scope="module")
def openapi(web):
    return web.get("/openapi.json").json()


def typed(parameter, words):
    """Return the schema that one value of *parameter* must have."""
    match parameter.type:
        case Words(is_integer=True):
            return {"type": "integer", "enum": [int(word) for word in parameter.words]}
        case Words():
            return {"type": "string", "enum": list(words.get(parameter.name, parameter.words))}
        case Integer(minimum=minimum, maximum=maximum):
            return {"type": "integer", "minimum": minimum, "maximum": maximum}
        case Boolean():
            return {"type": "boolean"}
        case Text(pattern=pattern):
            return {"type": "string", "pattern": f"^({pattern})$"}


@pytest.mark.parametrize(("path", "method", "taken", "words"), ROUTES, ids=[f"{row[1]} {row[0]}" for row in ROUTES])
def test_a_route_has_the_declared_parameters_and_no_other(openapi, path, method, taken, words):
    described = openapi["paths"][path][method]["parameters"]
    assert [one["name"] for one in described] == list(taken)


@pytest.mark.parametrize(
    ("path", "method", "parameter", "words"), CASES, ids=[f"{row[1]} {row[0]} {row[2].name}" for row in CASES]
)
def test_a_parameter_is_typed_as_it_is_declared(openapi, path, method, parameter, words):
    (told,) = [one for one in openapi["paths"][path][method]["parameters"] if one["name"] == parameter.name]
    schema = told["schema"]
    assert (told["in"], told["required"]) == ("path" if parameter.is_path else "query", parameter.is_required)
    assert (schema["items"] if parameter.is_list else schema) == typed(parameter, words)
    assert schema.get("maxItems", 0) == parameter.max_values
    assert parameter.meaning in told["description"]
    assert parameter.meaning_ja in told["description"]
    assert isinstance(told["example"], JSON_TYPES[schema["type"]])
    assert parameter.example.lower() in str(told["example"]).lower()


@pytest.mark.parametrize("parameter", DATA.values(), ids=lambda parameter: parameter.name)
def test_a_member_of_a_batch_is_typed_too(openapi, parameter):
    body = openapi["paths"]["/api/v1/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    member = body["properties"]["requests"]["items"]["properties"][parameter.name]
    words = {"format": ("json",), "charset": ("utf-8",)}
    assert (member["anyOf"][0].items() if parameter.is_list else member.items()) >= typed(parameter, words).items()
