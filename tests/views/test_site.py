"""The documentation site in a real browser, and its links."""

import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from browsing import resized, shot, until
from configs import CHECKOUT

pytestmark = pytest.mark.browser
# Of what lies beyond the right edge, what a reader cannot scroll to by itself.
BEYOND = """[...document.querySelectorAll('article *')].filter(
    element => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.table-wrapper, pre, .math')
).map(element => element.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = ["sphinx", "-q", "-W", "--keep-going", "-c", "docs/site", "-d", folder / "read", ".", folder / "html"]
    done = subprocess.run([sys.executable, "-m", *command], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_link_leads_somewhere(site):
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    names = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    assert len(texts) > 50
    for path, text in texts.items():
        for address in re.findall(r'(?:href|src)="([^"]+)"', text):
            if not re.match(r"https:|data:|#$", address):
                file, _, anchor = unquote(address).partition("#")
                target = (path.parent / file.partition("?")[0]).resolve() if file else path
                assert target.is_file(), (path.name, address)
                assert not anchor or anchor in names[target], (path.name, address)


@pytest.mark.parametrize("width", [1400, 400])
def test_every_page_fits(site, browser, width):
    resized(browser, width)
    for path in sorted(site.rglob("*.html")):
        browser.get(path.as_uri())
        assert browser.execute_script(f"return {BEYOND}") == [], path.name
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, path.name
        shot(browser, f"site-{width}-{path.stem}")


def test_formulae_are_drawn_in_their_font(site, browser):
    browser.get((site / "docs" / "theory.html").as_uri())
    sizes = until(browser, "[...document.querySelectorAll('math')].map(m => m.getBoundingClientRect().width)")
    assert len(sizes) > 100
    assert min(sizes) > 2
    assert until(browser, "[...document.fonts].some(f => f.family.includes('STIX Two Math') && f.status == 'loaded')")
    assert "$" not in until(browser, "document.querySelector('article').innerText")


def test_the_search_finds_functions(site, browser):
    browser.get((site / "search.html").as_uri() + "?q=find_partners")
    assert "nullmode.find_partners" in until(browser, "document.querySelector('#search-results li a')?.innerText")
