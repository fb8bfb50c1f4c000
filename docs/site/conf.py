"""The documentation site: the Markdown pages of the repository, and the API from docstrings (`make docs`)."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import ziamath  # noqa: E402
from pygments.lexers.python import PythonLexer  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import nullmode  # noqa: E402

project = "nullmode"
author = "nullmode developers"
version = release = nullmode.__version__
html_title = f"{project} {version}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "mathml", "navigation", "api"]

# The whole repository is the source, so that links between its pages are those that a reader of the files follows.
root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "config/README.md", "docs/*.md", "docs/api/*.rst"]
exclude_patterns = [".*", "benchmarks", "build", "results", "src", "tests", "workflow"]

smartquotes = False  # --like is an option, not a dash
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

numpydoc_show_class_members = False
nitpicky = True
# Types of other packages, whose pages cannot be looked up without a network, and types that nobody writes.
nitpick_ignore_regex = [
    ("py:class", r"ndarray|numpy\..*|Atoms|DataFrame|Figure|Path"),
    ("py:class", r"Step|D|Range|Section|\w+Label|EnvironmentStream|nullmode\..*\._\w+\.\w+"),
]
maximum_signature_line_length = 88

html_theme = "furo"
html_static_path = ["static", str(Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf")]
html_css_files = ["site.css"]
html_extra_path = ["extra"]
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_show_search_summary = False  # browsers refuse to fetch pages of a folder
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Snakemake's language is Python with rules."""
    app.add_lexer("snakemake", PythonLexer)
