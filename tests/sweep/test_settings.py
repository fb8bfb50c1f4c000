import runpy
import sys

import jsonschema
import pytest
import yaml
from configs import BAD, CHECKOUT, changed, small
from snakemake.utils import update_config

from nullmode import InputError
from nullmode._support import axes
from nullmode._support.yaml_file import read_yaml
from nullmode.sweep.origins import explanation_code, figure_code
from nullmode.sweep.schema import Settings
from nullmode.sweep.settings import check, explanation, figure_tables

# Files laid over each other.
CONFIGS = {
    "default": ["config/config.yaml"],
    "large": ["config/config.yaml", "config/large.yaml"],
    "test": ["config/test.yaml"],
}


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch):
    monkeypatch.chdir(CHECKOUT)


def read(*paths):
    config = {}
    for path in paths:
        update_config(config, yaml.safe_load((CHECKOUT / path).read_text()))
    return config


@pytest.mark.parametrize("name", CONFIGS)
def test_shipped_configurations_are_accepted(name):
    assert isinstance(check(read(*CONFIGS[name])), Settings)


def test_large_configuration_changes_what_there_is():
    default, large = (check(read(*CONFIGS[name])) for name in ("default", "large"))
    assert large.results != default.results
    assert large.descriptors == default.descriptors
    for part in ("families", "figures"):
        one, other = getattr(default, part), getattr(large, part)
        assert one.keys() == other.keys()
        assert [name for name in one if one[name] != other[name]]


@pytest.mark.parametrize("name", BAD)
def test_bad_configuration_is_refused_with_the_place(name):
    place, value, message = BAD[name]
    with pytest.raises(InputError) as refused:
        check(changed(place, value))
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("config", [None, [], "text", {}, {"families": ["a"], "descriptors": {}}])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(InputError):
        check(config)


def test_views_may_show_whole_structures():
    config = changed("views.null_modes", {"families": ["from_file"], "descriptor": "whole"})
    assert check(config).descriptors["whole"].scope == "structure"


def test_every_fault_of_one_level_is_named_at_once():
    config = small()
    config["rtol"] = 0
    config["figures"]["pair_map"]["colour"] = "red"
    config["descriptors"]["soap"]["kinds"] = "x"
    with pytest.raises(InputError) as refused:
        check(config)
    assert {line.partition("`")[2].partition("`")[0] for line in str(refused.value).splitlines()} == {
        "rtol",
        "figures.pair_map.colour",
        "descriptors.soap.kinds",
    }


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ([3, 1], [3, 1]),
        ({"start": 1, "stop": 4}, [1, 2, 3, 4]),
        ({"start": 0, "stop": 6, "step": 3}, [0, 3, 6]),
        ({"start": 0.1, "stop": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"start": -0.15, "stop": 0.15, "step": 0.05}, [-0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15]),
        ({"start": 2, "stop": 2}, [2]),
        ({"start": 0, "stop": 1e-300, "step": 1e-300}, [0.0, 1e-300]),
    ],
)
def test_values_of_an_axis(axis, values):
    result = axes.values(axis)
    assert result == values
    assert [type(value) for value in result] == [type(value) for value in values]
    assert axes.axis_values(axis).tolist() == values


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ([0.5, "x"], r"`families\.a\.parameters\.u\.1` must be [^\n]*, got 'x'\.$"),
        ({"start": 0.5}, r"`families\.a\.parameters\.u\.stop` is required and missing\.$"),
        (0.5, r"`families\.a\.parameters\.u` must be a valid list, got 0\.5\.$"),
    ],
)
def test_axis_is_faulted_for_what_it_is(axis, message):
    # A list is not told that it is no range, nor a range that it is no list.
    config = small()
    config["families"]["a"] = {"kind": "degenerate_pair", "parameters": {"u": axis}}
    with pytest.raises(InputError, match=rf"\A{message}"):
        check(config)


def test_longest_axis_is_accepted():
    assert len(axes.values({"start": 1, "stop": axes.MOST_VALUES})) == axes.MOST_VALUES
    with pytest.raises(ValueError, match="at most 100000 values"):
        axes.Range(start=0, stop=axes.MOST_VALUES)


def test_width_of_a_delta_density_is_not_read():
    config = changed("descriptors.soap.parameters.width", 0.005)
    config["descriptors"]["soap"]["parameters"]["density"] = "delta"
    assert check(config).descriptors["soap"].parameters["width"] == 0.005


@pytest.fixture(scope="module")
def schema():
    """What checks a configuration against the schema, as an editor does."""
    return jsonschema.Draft202012Validator(
        yaml.safe_load(runpy.run_path(str(CHECKOUT / "workflow/schemas/generate.py"))["schema_text"]())
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_schema_accepts_what_is_shipped(name, schema):
    schema.validate(read(*CONFIGS[name]))


@pytest.mark.parametrize("name", [n for n in BAD if n.startswith(("unknown", "text", "no radial")) and "grid" not in n])
def test_schema_knows_every_key(name, schema):
    place, value, _ = BAD[name]
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(changed(place, value))


SENSITIVITY = ("table", "", "sensitivity", "tables/sensitivity.parquet")


@pytest.mark.parametrize(
    ("figure", "wanted"),
    [
        ("null_modes", [("explanations", "", "explanations", "explanations/null_modes.parquet")]),
        (
            "near_singular",
            [SENSITIVITY, ("explanations", "", "explanations", "explanations/near_singular.parquet")],
        ),
        ("pair_map", [SENSITIVITY]),
        ("truncation", [SENSITIVITY]),
        (
            "orbits",
            [
                ("searches", "orbit", "search", "searches/orbit/found.parquet"),
                ("searches", "orbit", "search_steps", "searches/orbit/steps.parquet"),
            ],
        ),
        (
            "learning",
            [("predictions", name, "regression", "regressions/fine.parquet") for name in ("ridge", "mlp")],
        ),
    ],
)
def test_figures_say_what_they_draw_from(figure, wanted):
    assert figure_tables(check(small()), figure) == wanted


def test_explanations_are_written_out_for_their_jobs():
    assert explanation(check(small()), "pair_map") == {}
    assert explanation(check(small()), "near_singular") == {
        "kind": "near_singular",
        "families": ["point_groups"],
        "kinds": {"soap": "power-spectrum"},
        "parameters": {"families": ["point_groups"], "descriptors": ["soap"], "threshold": 1e-3, "explained": 1},
    }


OWN = """
from nullmode.figures._figure import Figure

def explain(table, structures, kinds, family):
    pass

def draw(explanations, structures, family, colour="red"):
    pass

FIGURE = Figure(draw, explanation="{}/own.py:explain")
"""


def test_figures_of_ones_own_may_be_explained(tmp_path):
    (tmp_path / "own.py").write_text(OWN.format(tmp_path))
    config = small()
    config["figures"] = {"own": {"kind": f"{tmp_path}/own.py:FIGURE", "parameters": {"family": "orbit"}}}
    settings = check(config)
    assert [table for *_, table in figure_tables(settings, "own")] == [
        "structures/orbit.parquet",
        "explanations/own.parquet",
    ]
    assert explanation(settings, "own")["parameters"] == {"family": "orbit"}
    assert explanation_code(settings, "own")["code"]


def test_figures_of_ones_own_are_given_the_sensitivity_table(tmp_path):
    (tmp_path / "own.py").write_text("def draw(table):\n    pass\n")
    config = small()
    config["figures"] = {"own": {"kind": f"{tmp_path}/own.py:draw"}}
    assert figure_tables(check(config), "own") == [SENSITIVITY]


@pytest.mark.parametrize(
    ("module", "where"),
    [("sklearn", "regressions.ridge"), ("chemiscope", "views.null_modes"), ("duckdb", "claims")],
)
def test_libraries_that_are_missing_are_asked_for(monkeypatch, module, where):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"\A`{where}` needs .*, which is not installed. Run: .* pip install"):
        check(small())


def test_explanations_depend_on_their_descriptors_and_drawings_do_not():
    def codes(config, code):
        settings = check(config)
        return {
            name: code(settings, name)
            for name in config["figures"]
            if code is figure_code or explanation(settings, name)
        }

    before, after = small(), small()
    after["descriptors"]["soap"]["kind"] = "bispectrum"
    assert codes(before, figure_code) == codes(after, figure_code)
    explained = codes(before, explanation_code), codes(after, explanation_code)
    assert list(explained[0]) == ["null_modes", "selection_rules", "near_singular"]
    assert all(explained[0][name] != explained[1][name] for name in explained[0])


@pytest.mark.parametrize("spelling", ["out", "out/", "./out", "out//", "x/../out", "./out/."])
def test_a_folder_has_one_spelling(spelling, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    assert check(changed("results", spelling)).results == "out"


def test_the_home_folder_is_meant_by_its_sign(monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert check(changed("results", "~/out")).results == "/home/somebody/out"


YAML = {
    "a key twice": ("a: 1\nb: {c: 1,\n  c: 2}\n", "line 3: `b.c` is given twice, first in line 2"),
    "no": ("a:\n  centers: [N, no]\n", "line 2: `a.centers.1`: YAML reads no as true or false. Write 'no' in quotes"),
    "nobelium": ("centers: No\n", "line 1: `centers`: YAML reads No as true or false"),
    "octal": ("seed: 010\n", "line 1: `seed`: YAML reads 010 as another number"),
    "minutes": ("t: 1:30\n", "YAML reads 1:30 as another number"),
    "a date": ("name: 2020-01-01\n", "YAML reads 2020-01-01 as a date"),
    "a key that is true": ("on: 1\n", "line 1: `on`: YAML reads on as true or false"),
    "no YAML": ("a: [1\n", "must be YAML"),
}


@pytest.mark.parametrize(("text", "message"), YAML.values(), ids=YAML)
def test_what_yaml_reads_otherwise_is_refused(text, message, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=r"a\.yaml") as caught:
        read_yaml(tmp_path / "a.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["a: true\nb: 'no'\nc: 1.0e-9\nd: 1e-9\ne: [0, -1, ~]\n", "x: &x {a: 1}\ny: {<<: *x, b: 2}\n", ""]
)
def test_plain_yaml_passes(text, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    assert read_yaml(tmp_path / "a.yaml") == yaml.safe_load(text)
