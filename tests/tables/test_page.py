"""Pages are templates beside the code: stamped, escaped, and part of what a result is computed with."""

import pytest
from configs import CHECKOUT

from nullmode._support import code_hash
from nullmode.tables import page, stamp

PACKAGE = CHECKOUT / "src/nullmode"


@pytest.mark.parametrize("template", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.html")))
def test_every_template_belongs_to_a_module(template):
    assert (PACKAGE / template).with_suffix(".py").is_file()


@pytest.mark.parametrize(("text", "same"), [("<p>a</p>", True), ("<p>b</p>", False), (None, False)])
def test_a_template_is_code_of_its_module(tmp_path, text, same):
    hashes = []
    for folder, content in (("a", "<p>a</p>"), ("b", text)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text("x = 1\n")
        if content is not None:
            (tmp_path / folder / "own.html").write_text(content)
        hashes.append(code_hash.code_hash(str(tmp_path / folder / "own.py")))
    assert (hashes[0] == hashes[1]) == same


def test_texts_are_escaped_and_the_stamp_is_read_back(tmp_path):
    path, content = tmp_path / "page.html", {"view": "a</script>&b"}
    values = {"description": "a < b", "legend": {"<i>": "red"}, "viewer": "", "dataset": "", "entries": ""}
    path.write_text(page.render("nullmode.views.chemiscope_page", "<Title>", content, **values), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert text.count("&lt;Title&gt;") == 2  # in the head and as the heading
    assert "a &lt; b" in text
    assert "&lt;i&gt;" in text
    assert stamp.read(path)["view"] == content["view"]
