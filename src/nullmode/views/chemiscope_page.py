"""A page that shows structures with chemiscope, in one file that a browser opens without a network."""

import base64
import gzip
import html
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

from nullmode._support.files import written
from nullmode._support.types import JSON, InputError
from nullmode.tables import stamp

# Packed, the viewer and its data fit into a report, where a page of more than 1.5 MB stays blank.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>@title@</title>
<style>
  body { margin: 0; font: 14px/1.4 system-ui, sans-serif; color: #222; background: white; }
  header { padding: 8px 16px 0; }
  h1 { font-size: 18px; margin: 0; display: inline; }
  header p { margin: 4px 0; max-width: 110em; }
  .cause { white-space: nowrap; margin-right: 1em; }
  .cause::before { content: ""; display: inline-block; width: 1.6em; height: .7em; margin-right: .4em;
                   background: var(--colour); }
  main { display: flex; flex-wrap: wrap; gap: 12px; padding: 0 12px; height: calc(100vh - 120px); min-height: 480px; }
  main > div { flex: 1 1 320px; min-width: 0; height: 100%; position: relative; display: flex;
               flex-direction: column; }
  #meta { display: none; } /* its name and description stand above */
  #map, #structure { flex: 1; min-height: 0; position: relative; }
  #message { color: #a00; padding: 0 16px; }
  #message:empty { display: none; }
</style>
</head>
<body>
<header>
<h1>@title@</h1>
<p>@description@</p>
<p>Arrows: @causes@</p>
</header>
<p id="message"></p>
<main>
  <div><div id="meta"></div><div id="map"></div></div>
  <div><div id="structure"></div><div id="info"></div></div>
</main>
@provenance@
<script type="text/plain" id="viewer">@viewer@</script>
<script type="text/plain" id="dataset">@dataset@</script>
<script>
const message = document.getElementById("message");
async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}
async function show() {
  const code = document.createElement("script");
  code.textContent = await unpacked("viewer");
  document.head.append(code);
  // JSON has no NaN, and chemiscope no null.
  window.dataset = JSON.parse(await unpacked("dataset"), (_, value) => value === null ? NaN : value);
  const warnings = new Chemiscope.Warnings();
  warnings.addHandler(text => { message.textContent = text; });
  const places = { meta: "meta", map: "map", info: "info", structure: "structure" };
  window.visualizer = await Chemiscope.DefaultVisualizer.load(places, window.dataset, warnings);
}
show().catch(error => {
  message.textContent = "This page cannot be shown: " + error + ". It needs a browser of 2023 or later.";
  console.error(error);
});
</script>
</body>
</html>
"""


def library() -> ModuleType:
    """Import chemiscope, which is not needed for anything else.

    Raises
    ------
    InputError
        If it is missing.
    """
    try:
        import chemiscope
    except ModuleNotFoundError as error:
        raise InputError(
            f"Views need chemiscope, got none: {error}. Install it with: pip install 'nullmode[reproduction]'."
        ) from None
    module: ModuleType = chemiscope
    return module


def write_page(dataset: JSON, causes: dict[str, str], path: str | Path, provenance: JSON | None = None) -> None:
    """Write a page that shows a dataset of chemiscope's; the same dataset gives the same bytes.

    Parameters
    ----------
    dataset
        As ``chemiscope.create_input`` makes it; not-a-numbers are allowed.
    causes
        Colours of arrows, by name, for the legend.
    path
        Of the HTML file; its folder is made.
    provenance
        What the dataset follows from; kept in the page, with nullmode's version.

    Raises
    ------
    InputError
        If chemiscope is missing.
    """
    viewer = Path(str(library().__file__)).parent / "sphinx" / "static" / "chemiscope.min.js"
    legend = (
        f'<span class="cause" style="--colour: {colour}">{html.escape(name)}</span>' for name, colour in causes.items()
    )
    texts = {
        "title": html.escape(dataset["meta"]["name"]),
        "description": html.escape(dataset["meta"].get("description", "")),
        "causes": "".join(legend),
        "viewer": _packed(viewer.read_bytes()),
        "provenance": stamp.of_page(provenance or {}),
        "dataset": _packed(json.dumps(_plain(dataset), allow_nan=False).encode()),
    }
    page = _PAGE
    for name, text in texts.items():
        page = page.replace(f"@{name}@", text)
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _plain(value: Any) -> Any:
    """Replace what JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
