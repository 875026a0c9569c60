"""The first page: where one is, and links that all lead to something."""

import re

from tests.specs import JRA
from tests.web.pages.languages import speaks_both


def test_the_first_page_leads_to_everything(web):
    page = web.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert speaks_both(page.text)
    assert all(spec in page.text for spec in JRA.dataspecs)
    for link in re.findall(r'href="([^"]+)"', page.text):
        assert web.get(link.replace("&amp;", "&")).status_code == 200, link


def test_what_the_first_page_shows_of_a_source_is_escaped(serve, tmp_path):
    folder = tmp_path / "<b>bold&"
    folder.mkdir()
    page = serve(f"archive:{folder}").get("/").text
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold&amp;" in page
