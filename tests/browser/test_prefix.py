"""The app under a path of a site, behind nginx as docs/deploy.md has it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from medilite.settings import load_settings
from medilite.ui.page.app import build_ui, serve
from medilite.ui.page.loading import start_loading
from tests.support.fakes import ScriptedEngine
from tests.support.proxies import blocks, find_program, running_nginx

pytestmark = pytest.mark.browser


def test_the_app_under_a_path(visit, lite, tmp_path):
    nginx = find_program("nginx") or pytest.skip("nginx is not installed")
    settings = load_settings(port=0, host="127.0.0.1", prefix="/medilite/", trusted_proxies="1", data_dir=tmp_path)
    engine = ScriptedEngine(lite)
    page = build_ui(engine, lite, settings)
    start_loading(engine)
    try:
        port = urlsplit(serve(page, lite, settings, block=False)).port
        with running_nginx(
            nginx, tmp_path / "nginx", blocks("conf")[0], {"127.0.0.1:7860": f"127.0.0.1:{port}"}
        ) as url:
            here = visit(f"{url}/medilite/").ready()
            here.ask("What is asthma?")
            here.wait_done()
            assert all(here.answers().values())
            link = here.page.locator("#share-link").get_attribute("href")
            again = visit(f"{url}/medilite/", fragment=link)
            again.page.wait_for_function("document.querySelector('#question textarea').value === 'What is asthma?'")
            said = httpx.get(f"{url}/medilite/llms.txt").text
            assert "](/medilite/gradio_api/call/v2/ask)" in said
            assert "](/gradio_api" not in said
            asked = {"text": "Wash your hands. Drink water."}
            event = httpx.post(f"{url}/medilite/gradio_api/call/v2/readability", json=asked).json()["event_id"]
            for made in (here, again):
                made.page.close()
                # Gradio's page asks for /manifest.json, without a path; what answers there is the site's own.
                made.errors[:] = [error for error in made.errors if "404 (Not Found)" not in error]
            assert "event: complete" in httpx.get(f"{url}/medilite/gradio_api/call/readability/{event}").text
    finally:
        page.close(verbose=False)
