"""The report and the views in a real browser: headless Chromium, from files, without a network."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc111, molecule
from browsing import resized, shot, until
from cases import rattled
from configs import CHECKOUT, lean
from docutils.core import publish_doctree
from docutils.nodes import comment
from PIL import Image
from projects import RESULTS
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import nullmode as nm
from nullmode.figures._base import CAUSES
from nullmode.views.chemiscope_dataset import COLOURS

pytestmark = pytest.mark.browser
HOSTILE = "<img src=missing.png onerror='document.title = 1'>.xyz"
CLAIM = "R1. A line goes *up* | and up_."
OWN = '''
from matplotlib.figure import Figure
from nullmode.figures._base import Drawing


def draw(table, descriptor):
    """A line."""
    figure = Figure()
    figure.subplots().plot([0, 1])
    return Drawing(figure, f"There are {len(table)} rows.")
'''
# Of chemiscope's info panel: the table of properties, and the number of the structure. It lies in a shadow tree.
PANEL = "document.querySelector('#info > div').shadowRoot"


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """A small run with a figure of a user's own, and its report."""
    folder = tmp_path_factory.mktemp("browser") / "run"
    project, config = finished.copy(folder), lean()
    config["figures"]["own"] = {"kind": "own.py:draw", "parameters": {"descriptor": "soap"}, "claim": CLAIM}
    (folder / "own.py").write_text(OWN)
    project.configure(config)
    project.run()
    style = CHECKOUT / "workflow/report/report.css"
    project.run("--report", str(RESULTS / "report.html"), "--report-stylesheet", str(style))
    return folder / RESULTS


def words(text):
    return " ".join(text.split())


def paragraphs(path):
    tree = publish_doctree(path.read_text(encoding="utf-8"))
    # A comment, such as the identity of what made the caption, is not shown.
    return [words(node.astext()) for node in tree.children if not isinstance(node, comment)]


@pytest.fixture
def report(made, browser):
    browser.get((made / "report.html").as_uri())
    until(browser, "!!document.querySelector('.prose')")
    return browser


def open_result(report, label):
    """Go to the overview and follow the link of a result."""
    report.execute_script("app.setView({navbarMode: 'menu', content: 'rulegraph'})")
    links = "[...document.querySelectorAll('.prose a')].filter(link => link.textContent == arguments[0])"
    [link] = until(report, f"(links => links.length && links)({links})", label)
    report.execute_script("arguments[0].click()", link)


def test_overview_names_every_figure_with_its_claim(made, report):
    entries = [words(entry.text) for entry in report.find_elements(By.CSS_SELECTOR, ".prose li")]
    for name in [*lean()["figures"], "own"]:
        first = paragraphs(made / f"figures/{name}.rst")[0]
        assert f"{name}: {first}" in entries
    shot(report, "report_overview")
    assert report.find_element(By.CSS_SELECTOR, ".prose h1").text.startswith("What descriptors")
    # Snakemake's graph of the rules stands beside it.
    until(report, "!!document.querySelector('.vega-embed canvas, .vega-embed svg.marks')")


def test_every_figure_is_shown_with_its_caption(made, report):
    for name in [*lean()["figures"], "own"]:
        open_result(report, name)
        until(report, "document.querySelector('#app img:not(nav img)')?.naturalWidth > 100")
        # All of it is in the window.
        top, bottom = report.execute_script(
            "const box = document.querySelector('#app img:not(nav img)').getBoundingClientRect();"
            "return [box.top, window.innerHeight - box.bottom]"
        )
        assert min(top, bottom) >= 0, name
        shown = words(report.find_element(By.CSS_SELECTOR, "nav .prose").text)
        assert shown == " ".join(paragraphs(made / f"figures/{name}.rst"))
        shot(report, f"report_{name}")
    assert shown.startswith(f"{CLAIM} A line. Setting: ")
    assert shown.endswith(" rows.")
    assert " Result: There are " in shown


def test_figures_are_listed_by_claim(report):
    report.execute_script("app.showCategory('Figures')")
    table = report.find_element(By.CSS_SELECTOR, "nav table")
    assert table.text.splitlines()[0].split() == ["CLAIM", "FIGURE"]
    assert "R1 own" in table.text.splitlines()
    shot(report, "report_list")


def test_every_page_opens_within_the_report(report):
    pages = report.execute_script("return Object.keys(results).filter(path => results[path].mime_type == 'text/html')")
    assert str(RESULTS / "views/null_modes.html") in pages
    for path in pages:
        report.switch_to.default_content()
        report.execute_script(
            "app.setView({content: 'html', contentPath: results[arguments[0]].data_uri, resultPath: arguments[0]})",
            path,
        )
        report.switch_to.frame(
            WebDriverWait(report, 20).until(lambda driver: driver.find_element(By.TAG_NAME, "iframe"))
        )
        assert until(report, "location.href.slice(0, 14)") == "data:text/html"
        assert until(report, "document.body.innerText.length > 100")
        if "/views/" in path:
            until(report, "!!window.visualizer")
            time.sleep(1)
        shot(report, f"report_page_{Path(path).stem}")


def test_statistics_are_drawn(report):
    report.find_element(By.LINK_TEXT, "Statistics").click()
    until(report, "document.querySelectorAll('.vega-embed canvas, .vega-embed svg.marks').length == 2")
    shot(report, "report_statistics")


@pytest.fixture
def view(made, browser):
    browser.get((made / "views/null_modes.html").as_uri())
    until(browser, "!!window.visualizer")
    time.sleep(2)  # the map and the atoms are drawn after that
    return browser


def select(view, number):
    """Choose a structure as a user does, by its number below the atoms."""
    view.execute_script(
        f"const box = {PANEL}.querySelector('input.chsp-info-number'); box.value = arguments[0];"
        "box.dispatchEvent(new Event('change'))",
        number,
    )
    time.sleep(1)


def coloured(view, colour):
    """Count pixels of the atoms' panel of a colour, in any shade."""
    picture = Image.open(io.BytesIO(view.find_element(By.ID, "structure").screenshot_as_png)).convert("RGB")
    pixels = np.asarray(picture, dtype=float).reshape(-1, 3)
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=float)
    pixels = pixels[np.ptp(pixels, axis=1) > 30]
    lengths = np.linalg.norm(pixels, axis=1) * np.linalg.norm(wanted)
    return int((pixels @ wanted > 0.985 * lengths).sum())


def test_view_shows_structures_and_what_is_known_of_them(view):
    assert view.execute_script("return document.getElementById('message').textContent") == ""
    assert "symmetry" in view.find_element(By.TAG_NAME, "header").text
    canvases = (
        "(function count(node) { return [...node.querySelectorAll('*')].reduce((sum, one) => sum"
        " + (one.tagName == 'CANVAS') + (one.shadowRoot ? count(one.shadowRoot) : 0), 0) })(document)"
    )
    assert until(view, canvases) >= 2  # the map's and the atoms'
    values = view.execute_script("return window.dataset.properties.name.values")
    assert values[:3] == ["Td", "Cs", "X"]
    read = f"return {PANEL}.querySelector('table').textContent"
    shown = []
    for number in (0, 2, 4):
        select(view, number)
        shown.append(view.execute_script(read))
        shot(view, f"view_{number}")
    assert [text for text, name in zip(shown, ("Td", "X", "random_methane"), strict=True) if name not in text] == []
    assert len(set(shown)) == 3


def test_arrows_are_on_and_coloured_by_cause(view):
    assert view.execute_script("return window.visualizer.saveSettings().structure[0].shape").split(",")[0] == "null_1"
    select(view, 0)
    assert coloured(view, CAUSES["symmetry"]) > 200
    assert coloured(view, CAUSES["incompleteness"]) == 0
    select(view, 2)
    cause = view.execute_script("return window.dataset.properties['arrows null_1'].values[2]")
    cause = "unresolved" if " or " in cause else {"body order": "incompleteness"}.get(cause, cause)
    assert cause != "symmetry"
    assert coloured(view, CAUSES["symmetry"]) == 0
    assert coloured(view, CAUSES[cause]) > 200
    # Without its shape, an arrow is gone: the colour was the arrow's.
    view.execute_script(
        "const all = window.visualizer.saveSettings(); all.structure[0].shape = '';window.visualizer.applySettings(all)"
    )
    time.sleep(1)
    assert coloured(view, CAUSES[cause]) == 0


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of solids and molecules, of each scope."""
    folder = tmp_path_factory.mktemp("pages")
    soap = nm.PowerSpectrum(n_max=3, l_max=2, cutoff=3.5)
    copper = rattled(bulk("Cu", cubic=True) * 2, 0.1)
    slab = fcc111("Cu", (2, 2, 3), vacuum=8.0)
    add_adsorbate(slab, "O", 1.2, "fcc")
    frames = [rattled(molecule("CH3CH2OH"), 0.05, seed) for seed in range(3)]
    nm.write_view(copper, soap, folder / "environment.html", centers=[0, 3, 5])
    nm.write_view([rattled(slab, 0.05), copper], soap, folder / "structure.html", scope="structure")
    nm.write_view(frames, soap, folder / "potential.html", scope="potential")
    nm.write_view(copper, soap, folder / "single.html", scope="structure")
    nm.write_report(frames, soap, folder / "report.html", frames=[2, 5, 8], name=HOSTILE)
    nm.write_view(frames[0], soap, folder / "hostile.html", name=HOSTILE)
    return folder


def opened(browser, path, width):
    resized(browser, width)
    browser.get(path.as_uri())
    until(browser, "!!window.visualizer")
    time.sleep(2)


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", ["environment", "structure", "potential", "single"])
def test_page_is_used_by_clicks_at_any_width(pages, browser, name, width):
    opened(browser, pages / f"{name}.html", width)
    shot(browser, f"{name}_{width}")
    assert browser.execute_script("return document.getElementById('message').textContent") == ""
    assert browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth") <= 0
    # What is shown first, and a click on the last row of the table shows its arrows.
    shapes = "return window.visualizer.saveSettings().structure[0].shape.split(',')"
    marks = ["centre"] if name == "environment" else []
    rows = browser.find_elements(By.CSS_SELECTOR, "#entry tbody tr")
    assert browser.execute_script(shapes) == [rows[0].get_attribute("data-shape"), *marks]
    button = rows[-1].find_element(By.TAG_NAME, "button")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    assert browser.execute_script(shapes) == [button.text, *marks]
    assert rows[-1].get_attribute("aria-selected") == "true"
    # Another structure has its own modes beside it.
    if name != "single":
        before = browser.find_element(By.CSS_SELECTOR, "#entry h2").text
        select(browser, 1)
        after = browser.find_element(By.CSS_SELECTOR, "#entry h2").text
        assert before != after
        assert browser.execute_script(shapes)[0] in [
            row.get_attribute("data-shape") for row in browser.find_elements(By.CSS_SELECTOR, "#entry tbody tr")
        ]


def test_a_click_in_the_map_chooses_the_structure(pages, browser):
    opened(browser, pages / "potential.html", 1400)
    chart = browser.find_element(By.ID, "map")
    x, y = until(
        browser,
        "(plot => { const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect(),"
        " own = arguments[0].getBoundingClientRect(), data = window.dataset.properties;"
        " return [box.left - own.left + xaxis._offset + xaxis.d2p(data.number.values[2]) - own.width / 2,"
        " box.top - own.top + yaxis._offset + yaxis.d2p(data['log10 s_d/s_1'].values[2]) - own.height / 2] })"
        "(window.visualizer.map._plot)",
        chart,
    )
    ActionChains(browser).move_to_element_with_offset(chart, round(x), round(y)).pause(0.5).click().perform()
    until(browser, "document.querySelector('#entry h2').textContent == 'structure 2'")


def test_arrows_are_seen_through_atoms(pages, browser):
    opened(browser, pages / "single.html", 1400)
    # Truncation has the colour of copper.
    browser.execute_script("choose('soft_1')")
    colour = COLOURS["soft"]

    def with_atoms(atoms):
        browser.execute_script(
            "const all = window.visualizer.saveSettings().structure; all[0].atoms = arguments[0];"
            " all[0].bonds = false; window.visualizer.applySettings({structure: all})",
            atoms,
        )
        time.sleep(1)
        return coloured(browser, colour)

    behind, alone = with_atoms(True), with_atoms(False)
    assert alone > 100
    assert behind > 0.97 * alone
    # Without the depths that the page gives them, atoms hide some.
    browser.execute_script("viewers()[0]._viewer.renderer._gl.polygonOffset(0, 0)")
    assert with_atoms(True) < 0.9 * alone


def test_bonds_are_thin_and_the_cell_is_drawn(pages, browser):
    opened(browser, pages / "structure.html", 1400)
    styles = browser.execute_script(
        "return viewers()[0]._viewer.models.flatMap(model => model?.selectedAtoms({}) ?? []).map("
        "atom => [atom.bonds.length, atom.style.stick?.radius])"
    )
    assert {count for count, _ in styles} == {0}
    assert {radius for _, radius in styles} == {0.06}
    assert browser.execute_script("return viewers()[0]._current.model.unitCellObjects.shapes.length") > 0


@pytest.mark.parametrize("width", [400, 1400])
def test_a_click_on_one_of_the_worst_shows_it(pages, browser, width):
    opened(browser, pages / "report.html", width)
    assert browser.execute_script("return document.getElementById('message').textContent") == ""
    assert browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert browser.execute_script("return [...document.images].every(image => image.naturalWidth > 100)")
    rows = browser.find_elements(By.CSS_SELECTOR, "#worst tbody tr")
    assert len(rows) == 10
    assert rows[0].get_attribute("aria-selected") == "true"
    button = rows[7].find_element(By.TAG_NAME, "button")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    until(browser, "arguments[0].ariaSelected == 'true'", rows[7])
    assert rows[0].get_attribute("aria-selected") == "false"
    frame, atom, species = (cell.text for cell in rows[7].find_elements(By.TAG_NAME, "td")[:3])
    assert frame in {"2", "5", "8"}
    assert browser.find_element(By.CSS_SELECTOR, "#entry h2").text == f"frame {frame}, atom {atom} ({species})"
    time.sleep(1)
    shape = browser.execute_script("return window.visualizer.saveSettings().structure[0].shape.split(',')")
    shown = browser.find_element(By.CSS_SELECTOR, "#entry tr[aria-selected=true]")
    assert shape == [shown.get_attribute("data-shape"), "centre"]
    assert coloured(browser, COLOURS["soft"]) + coloured(browser, COLOURS["softest"]) > 50
    shot(browser, f"report_{width}")


@pytest.mark.parametrize("name", ["report", "hostile"])
def test_a_name_of_a_file_is_no_html(pages, browser, name):
    opened(browser, pages / f"{name}.html", 1400)
    assert HOSTILE in browser.title
    assert HOSTILE in browser.find_element(By.TAG_NAME, "h1").text
    assert "missing.png" not in browser.execute_script("return [...document.images].map(image => image.src).join()")
