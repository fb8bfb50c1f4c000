"""What a page of a view holds, read back."""

import base64
import gzip
import itertools
import re

import numpy as np


def arrows(data, shape):
    """Vectors and colours of a shape, for each structure; NaN where there is no arrow."""
    sizes = np.cumsum([0, *(structure["size"] for structure in data["structures"])])
    atoms = data["shapes"][shape]["parameters"]["atom"]
    vectors = np.array(
        [np.multiply(atom["vector"], atom["scale"]) if "color" in atom else [np.nan] * 3 for atom in atoms]
    )
    colours = [{atom["color"] for atom in atoms[a:b] if "color" in atom} for a, b in itertools.pairwise(sizes)]
    return [vectors[a:b] for a, b in itertools.pairwise(sizes)], colours


def unpacked(page, name):
    packed = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.DOTALL)[1]
    return gzip.decompress(base64.b64decode(packed)).decode()
