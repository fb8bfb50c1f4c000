import pandas as pd
import pytest
from configs import changed, small
from docutils.core import publish_doctree
from tasks import sensitivities

from nullmode.figures._base import save
from nullmode.sweep import structures
from nullmode.sweep.report import caption, labels
from nullmode.sweep.settings import check
from nullmode.views import captions

CLAIM = "R4. The rank grows with the truncation."


def config(**entry):
    return changed("figures.truncation", small()["figures"]["truncation"] | entry)


def asked(name="truncation", **entry):
    return caption(check(config(**entry)), name)


def swept(n=3):
    """Rows of a sweep over n_max, l_max and width, and of another descriptor on another family."""
    points = [{"n_max": k, "l_max": l, "width": w} for k in (1, 3) for l in (0, 1, 2) for w in (0.3, 0.5)]
    shared = {"kind": "power-spectrum", "scope": "environment"}
    random = structures.make_structures("random_methane", {"n_structures": n}, "random_methane")
    groups = structures.make_structures("point_groups", {"names": ["Td", "Cs", "X"]}, "point_groups")
    soap = [{"n_max": 4, "l_max": 3, "center_weight": 1.0}]
    frames = [
        sensitivities(random, {**shared, "family": "random_methane", "descriptor": "soap_swept", "points": points}),
        sensitivities(groups, {**shared, "family": "point_groups", "descriptor": "soap", "points": soap}),
    ]
    return pd.concat(frames, ignore_index=True)


def test_caption_says_claim_setting_and_result():
    first, setting, result = captions.caption(asked(claim=CLAIM), [swept()], "The rank is 9 from n_max 3 on.")
    assert first.startswith(f"{CLAIM} One column per family, over n_max and l_max: the median rank")
    assert setting == (
        "Setting: 3 environments of random_methane; soap_swept: power-spectrum, ν = 2, n_max 1, 3, l_max 0, 1, 2, "
        "cutoff 4 Å, cutoff_width 0.5 Å, width 0.3, 0.5 Å, density gaussian, radial_basis gto; "
        "singular values up to 1e-09 of the largest count as null."
    )
    assert result == "Result: The rank is 9 from n_max 3 on."


def test_tables_without_singular_values_are_described_with_the_others():
    rows = swept()
    steps = rows.drop(columns="singular_values")
    setting = captions.caption(asked(claim=CLAIM), [steps, rows], "")[1]
    assert setting == captions.caption(asked(claim=CLAIM), [rows], "")[1]


def test_what_all_descriptors_share_is_said_once():
    question = asked("null_modes")
    question |= {"families": {}, "parameters": {}}
    question["descriptors"]["soap_swept"] = {"kind": "power-spectrum", "named": []}
    assert captions.caption(question, [swept()], "")[1] == (
        "Setting: 3 environments of random_methane, 3 environments of point_groups; soap_swept: n_max 1, 3, "
        "l_max 0, 1, 2, width 0.3, 0.5 Å; soap: n_max 4, l_max 3, width 0.3 Å; all descriptors: power-spectrum, ν = 2, "
        "cutoff 4 Å, cutoff_width 0.5 Å, density gaussian, radial_basis gto; "
        "singular values up to 1e-09 of the largest count as null."
    )


def test_scopes_are_told_apart_where_there_are_several():
    rows, question = swept(), asked("null_modes")
    question |= {"families": {}, "parameters": {}}
    question["descriptors"]["soap_swept"] = {"kind": "power-spectrum", "named": []}
    whole = rows["descriptor"] == "soap"
    mixed = rows.assign(scope=rows["scope"].mask(whole, "structure"))
    said = captions.caption(question, [mixed], "")[1]
    assert "soap: of structures, " in said
    assert "soap_swept: of environments, " in said
    question["descriptors"]["soap"]["centers"] = ["C"]
    assert "soap: of structures, centres C alone, " in captions.caption(question, [mixed], "")[1]


def test_setting_counts_what_is_drawn_alone():
    rows, question = swept(), asked("null_modes")
    assert question["parameters"] == {"names": ["X"]}
    assert "Setting: 1 environment of point_groups; soap: power-spectrum" in captions.caption(question, [rows], "")[1]
    question["parameters"] = {}
    assert "3 environments of point_groups" in captions.caption(question, [rows], "")[1]


def test_parameters_beyond_the_columns_are_named_where_the_configuration_names_them():
    question = asked("null_modes")
    assert "center_weight" not in captions.caption(question, [swept()], "")[1]
    question["descriptors"]["soap"]["named"].append("center_weight")
    assert ", center_weight 1;" in captions.caption(question, [swept()], "")[1]


def test_long_axes_are_written_by_their_ends():
    assert captions.caption(asked(), [swept(7)], "")[1].count("7 environments") == 1
    rows = swept().assign(n_max=lambda frame: range(len(frame)))
    assert "n_max 0 to 35, " in captions.caption(asked(), [rows], "")[1]


def test_search_is_described_by_its_kind_and_start():
    question = caption(check(small()), "orbits")
    assert question["searches"] == {"orbit": "orbit"}
    assert question["families"] == {"orbit": "quasi_constant_orbit"}
    assert question["descriptors"]["fine"]["kind"] == "power-spectrum"


def test_tables_without_descriptors_do_not_count():
    other = structures.make_structures("random_methane", {"n_structures": 9}, "random_methane")
    assert captions.caption(asked(), [other, swept()], "") == captions.caption(asked(), [swept()], "")


def test_figure_without_claim_or_result_has_a_caption():
    first, setting = captions.caption(asked(), [swept()], "")
    assert first.startswith("One column per family")
    assert setting.startswith("Setting: ")


@pytest.mark.parametrize(
    "text",
    [
        "A plain sentence, s_d/s_1 = 3.2e-05 at u = 0.8π.",
        "*R1.* |x - y| falls as `t`_, from soap_ to soap_2_ and X+(π, 0) to X_, **twice**.",
        r"A backslash \, and 2 * 3 * 4.",
        "- no list",
        "R1. Not a list.",
    ],
)
def test_markup_shows_the_text_as_it_is(text, tmp_path):
    captions.write([text, text], tmp_path / "caption.rst")
    tree = publish_doctree(
        (tmp_path / "caption.rst").read_text(encoding="utf-8"), settings_overrides={"report_level": 1}
    )
    assert [(node.tagname, node.astext()) for node in tree.children] == [("paragraph", text)] * 2


def test_captions_are_in_the_figures(tmp_path):
    from matplotlib.figure import Figure
    from PIL import Image

    text = "A claim: ν = 2 (soap).\n\nResult: 3 Å."
    for path in save(Figure(), tmp_path / "figure", {}, text):
        if path.suffix == ".png":
            assert Image.open(path).text["Description"] == text
        elif path.suffix == ".svg":
            assert text in path.read_text(encoding="utf-8")
        else:
            assert b"/Subject" in path.read_bytes()


@pytest.mark.parametrize(
    ("claim", "number"),
    [
        ("R5. More.", "R5"),
        ("R1, R3, R4: More.", "R1, R3, R4"),
        ("Symmetry.", ""),
        ("", ""),
    ],
)
def test_figures_are_sorted_by_the_number_of_their_claim(claim, number):
    assert labels(check(config(claim=claim)), "truncation") == {"claim": number, "figure": "truncation"}
