"""What a user has to know is in both READMEs: every setting, every route, every command, every problem."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from typer.main import get_command

from jvgate.cli import app
from jvgate.question.parameters import PARAMETERS
from jvgate.settings import Settings
from jvgate.web.app import create_app
from jvgate.web.problems import PROBLEMS

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.ja.md")


def missing(page, words):
    """Those of *words* that the page does not say."""
    text = (ROOT / page).read_text("utf-8")
    return [word for word in words if f"`{word}`" not in text and f"`{word}=" not in text]


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_is_told_by_all_its_names(page):
    names = [name for field in Settings.model_fields for name in (field, f"JVGATE_{field.upper()}")]
    flags = [flag for option in get_command(app).commands["serve"].params for flag in option.opts]
    assert missing(page, names + flags) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_route_is_told(page):
    async def described():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(create_app(Settings()))) as client:
            return (await client.get("http://here/openapi.json")).json()

    assert missing(page, [*asyncio.run(described())["paths"], "/docs", "/openapi.json", "/"]) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_parameter_of_data_is_told(page):
    assert missing(page, PARAMETERS) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_problem_is_told(page):
    assert missing(page, PROBLEMS) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_told(page):
    text = (ROOT / page).read_text("utf-8")
    assert [name for name in get_command(app).commands if f"jvgate {name}" not in text] == []


def test_each_readme_leads_to_the_other():
    assert "README.ja.md" in (ROOT / "README.md").read_text("utf-8")
    assert "README.md" in (ROOT / "README.ja.md").read_text("utf-8")
