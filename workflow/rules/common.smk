import functools
import sys

import nullmode._support.files
import nullmode._support.code_hash
import nullmode.sweep.entries
import nullmode.sweep.jobs
import nullmode.sweep.origins
import nullmode.sweep.report
import nullmode.sweep.settings
import nullmode.sweep.tasks
import nullmode._support.types

try:
    SETTINGS = nullmode.sweep.settings.check(config)
    # Jobs read the file themselves; to check its queries takes half a second, too long for the start of each.
    if SETTINGS.claims and workflow.is_main_process:
        import nullmode.claims.ledger

        nullmode.claims.ledger.check(SETTINGS.claims, SETTINGS.figures)
except nullmode._support.types.InputError as error:
    sys.exit(f"The configuration cannot be run:\n{error}")

RESULTS = SETTINGS.results
JOBS = {job.name: job for job in nullmode.sweep.jobs.plan(SETTINGS)}
# Asked for by every job: 5 ms each time would be a minute for 10 000 jobs.
sensitivity_code = functools.cache(nullmode.sweep.origins.sensitivity_code)
SEARCHES = {name: nullmode.sweep.entries.search_task(SETTINGS, name) for name in SETTINGS.searches}
REGRESSIONS = {
    regression.descriptor: nullmode.sweep.entries.regression_tasks(SETTINGS, regression.descriptor)
    for regression in SETTINGS.regressions.values()
}
PARTS = [f"{RESULTS}/sensitivity/{name}.parquet" for name in JOBS]
STRUCTURES = expand(f"{RESULTS}/structures/{{family}}.parquet", family=SETTINGS.families)
OF_SEARCHES = {
    table: expand(f"{RESULTS}/searches/{{search}}/{table}.parquet", search=SEARCHES) for table in ("found", "steps")
}
FOUND = [*OF_SEARCHES["found"], *OF_SEARCHES["steps"]]
PREDICTED = [f"{RESULTS}/regressions/{descriptor}.parquet" for descriptor in REGRESSIONS]
EXPLAINED = [
    f"{RESULTS}/explanations/{figure}.parquet"
    for figure in SETTINGS.figures
    if nullmode.sweep.settings.explanation(SETTINGS, figure)
]
TABLES = {name: f"{RESULTS}/tables/{name}.parquet" for name in ("sensitivity", "summary")}
FIGURES = expand(
    "{results}/figures/{figure}.{ending}", results=RESULTS, figure=SETTINGS.figures, ending=["pdf", "svg", "png", "rst"]
)
VIEWS = expand("{results}/views/{view}.html", results=RESULTS, view=SETTINGS.views)
CLAIMS = [f"{RESULTS}/claims.parquet", f"{RESULTS}/claims.html"] if SETTINGS.claims else []

# Snakemake takes a file that exists for a result. It knows what it was writing itself when it was stopped, but not what
# a copy or a broken disk cut short.
MADE = [*STRUCTURES, *PARTS, *FOUND, *PREDICTED, *EXPLAINED, *TABLES.values(), *CLAIMS[:1]]
if workflow.is_main_process and (damaged := nullmode._support.files.cut_short(MADE)):
    sys.exit(
        "Results of an earlier run are cut short. Delete them and run the workflow again:\n"
        f"rm {' '.join(map(str, damaged))}"
    )


wildcard_constraints:
    family="[A-Za-z0-9][A-Za-z0-9_-]*",
    descriptor="[A-Za-z0-9][A-Za-z0-9_-]*",
    figure="[A-Za-z0-9][A-Za-z0-9_-]*",
    search="[A-Za-z0-9][A-Za-z0-9_-]*",
    view="[A-Za-z0-9][A-Za-z0-9_-]*",
    job="[A-Za-z0-9][A-Za-z0-9_.+-]*",


def family_file(wildcards):
    """Give the file that a family reads, if it reads one, so that a change of it makes its structures anew."""
    path = SETTINGS.families[wildcards.family].parameters.get("path")
    # Local: the prefix of a module is for what the workflow writes.
    return [] if path is None else local(path)


def structures_of(tasks):
    """Give the structures of the families of tasks."""
    return [f"{RESULTS}/structures/{family}.parquet" for family in nullmode.sweep.tasks.families_of(tasks)]


def references_of(tasks):
    """Give the structures of the families that contractions of tasks are fitted to."""
    return [f"{RESULTS}/structures/{family}.parquet" for family in nullmode.sweep.tasks.references_of(tasks)]


def layouts_of(tasks):
    """Give the layouts of a family of which a job holds a part."""
    return [f"{RESULTS}/layouts/{task.family}/{task.scope}_{cutoff}.json" for task in tasks for cutoff in task.layouts]


def plain(tasks):
    """Write tasks as plain data, as parameters of a rule have to be."""
    return [nullmode.sweep.tasks.as_json(task) for task in tasks]
