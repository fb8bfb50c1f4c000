"""What the structures of a family follow from, said once for the plan and for the job that makes them."""

from collections.abc import Mapping

from nullmode._support.types import JSON
from nullmode._support.variants import complete, load
from nullmode.families import FAMILIES


def content_of_family(name: str, family: JSON, files: Mapping[str, str]) -> JSON:
    """Write out a family as in the configuration, its parameters with all defaults, and the hashes of its files."""
    target = load(family["kind"], FAMILIES, "family")
    return {
        **family,
        "family": name,
        "parameters": complete(target, family["parameters"], f"families.{name}.parameters"),
        "inputs": {path: {"sha256": sha256} for path, sha256 in files.items()},
    }
