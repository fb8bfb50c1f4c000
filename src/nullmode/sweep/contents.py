"""What each file of a run follows from, before it exists: written as the jobs write it, so that their identities agree.

A job keeps in its files what it read and with which code; this module says the same of the plan. A file whose identity
is another one was made from another configuration, other code or other inputs.
"""

from collections.abc import Iterable, Mapping

from nullmode._support.code_hash import digest
from nullmode._support.types import JSON
from nullmode.sweep import origins
from nullmode.sweep.entries import regression_tasks, search_task
from nullmode.sweep.family import content_of_family
from nullmode.sweep.jobs import Job
from nullmode.sweep.report import caption
from nullmode.sweep.schema import Settings
from nullmode.sweep.settings import explanation, figure_tables
from nullmode.sweep.tasks import Task, as_json, families_of, references_of
from nullmode.tables.identity import identified

SENSITIVITY, SUMMARY = "tables/sensitivity.parquet", "tables/summary.parquet"


def contents(settings: Settings, jobs: Iterable[Job], scripts: Mapping[str, str]) -> dict[str, JSON]:
    """Say of each file that a run makes what it follows from.

    Parameters
    ----------
    settings, jobs
        The checked configuration, and its plan.
    scripts
        Hash of the script of each rule.

    Returns
    -------
    dict
        By name in the folder of results, as the file will say; of ``inputs`` that are results, the ``identity`` alone.
    """
    result: dict[str, JSON] = {}

    def add(files: Mapping[str, str | None], rule: str, content: JSON, code: JSON, sources: Mapping[str, str]) -> None:
        """Add files, each with the name of the table that it holds, or None."""
        given = {name: {"identity": result[file]["identity"]} for name, file in sources.items()}
        inputs = {**given, **content.get("inputs", {})}
        shared = {**content, **code, "script": scripts[rule], "inputs": inputs}
        for file, table in files.items():
            result[file] = identified(shared if table is None else {**shared, "table": table})

    for name, family in settings.families.items():
        content = content_of_family(name, family.model_dump(), origins.files_of_family(settings, name))
        code = origins.structures_code(settings, name)
        add({of_family(name): "structures"}, "structures", content, code, {})
    parts = {}
    for job in jobs:
        for task in job.tasks:
            for cutoff in task.layouts:
                where = {"family": task.family, "scope": task.scope, "cutoff": cutoff}
                if (file := layout(task.family, task.scope, cutoff)) not in result:
                    add({file: None}, "layout", where, origins.layout_code(), {task.family: of_family(task.family)})
        parts[job.name] = f"sensitivity/{job.name}.parquet"
        code = origins.sensitivity_code(job.kind, job.bases, job.tasks)
        add(
            {parts[job.name]: "sensitivity"},
            "sensitivity",
            {"tasks": [as_json(task) for task in job.tasks]},
            code,
            _families(job.tasks),
        )
    merged = {SENSITIVITY: "sensitivity", SUMMARY: "summary"}
    add(merged, "summary", {"order": list(settings.descriptors)}, origins.summary_code(), parts)
    for name in settings.searches:
        search = search_task(settings, name)
        files = {f"searches/{name}/found.parquet": "search", f"searches/{name}/steps.parquet": "search_steps"}
        add(files, "search", as_json(search), origins.search_code(settings, name), _families([search]))
    for name in dict.fromkeys(each.descriptor for each in settings.regressions.values()):
        tasks, code = regression_tasks(settings, name), origins.regression_code(settings, name)
        add(
            {f"regressions/{name}.parquet": "regression"},
            "regression",
            {"tasks": [as_json(task) for task in tasks]},
            code,
            _families(tasks),
        )
    for name, entry in settings.figures.items():
        if explained := explanation(settings, name):
            given = {"sensitivity": SENSITIVITY, **{family: of_family(family) for family in explained["families"]}}
            code = origins.explanation_code(settings, name)
            add(
                {f"explanations/{name}.parquet": "explanations"},
                "explanation",
                {"figure": name, **explained},
                code,
                given,
            )
        content = {"figure": name, **entry.model_dump(exclude={"claim"}), "caption": caption(settings, name)}
        given = {file: file for *_, file in figure_tables(settings, name)}
        drawn = dict.fromkeys(f"figures/{name}.{ending}" for ending in ("pdf", "svg", "png", "rst"))
        add(drawn, "figure", content, origins.figure_code(settings, name), given)
    for name, view in settings.views.items():
        given = {"sensitivity": SENSITIVITY, **{family: of_family(family) for family in view.families}}
        add(
            {f"views/{name}.html": None},
            "view",
            {"view": name, **view.model_dump()},
            origins.view_code(settings, name),
            given,
        )
    if settings.claims:
        tables = [file for file in result if file.startswith(("structures/", "tables/", "searches/", "regressions/"))]
        content = {"inputs": {settings.claims: {"sha256": digest(settings.claims)}}}
        code = origins.claims_code(settings.claims)
        add({"claims.parquet": "claims", "claims.html": None}, "claims", content, code, {file: file for file in tables})
    return result


def of_family(name: str) -> str:
    """Name the file that holds the structures of a family."""
    return f"structures/{name}.parquet"


def layout(family: str, scope: str, cutoff: float) -> str:
    """Name the file that holds the layout of a family within a cutoff."""
    return f"layouts/{family}/{scope}_{cutoff}.json"


def _families(tasks: Iterable[Task]) -> dict[str, str]:
    """Files of the structures that tasks need, by the name of the family."""
    tasks = list(tasks)
    return {name: of_family(name) for name in [*families_of(tasks), *references_of(tasks)]}
