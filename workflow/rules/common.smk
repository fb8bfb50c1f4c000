import functools
import sys

import nullmode.claims.model
import nullmode._support.files
import nullmode._support.code_hash
import nullmode.sweep.jobs
import nullmode.sweep.report
import nullmode.sweep.settings
import nullmode.sweep.cells
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
JOBS = {(job.family, job.descriptor, job.name): job for job in nullmode.sweep.jobs.plan(SETTINGS)}
# Asked for by every job: 5 ms each time would be a minute for 10 000 jobs.
kind_code = functools.cache(nullmode.sweep.settings.kind_code)
SEARCHES = {name: nullmode.sweep.cells.search_cell(SETTINGS, name) for name in SETTINGS.searches}
REGRESSIONS = {name: nullmode.sweep.cells.regression_cell(SETTINGS, name) for name in SETTINGS.regressions}
PARTS = [
    f"{RESULTS}/sensitivity/family={family}/descriptor={descriptor}/{job}.parquet" for family, descriptor, job in JOBS
]
STRUCTURES = expand(f"{RESULTS}/structures/{{family}}.parquet", family=SETTINGS.families)
OF_SEARCHES = {
    table: expand(f"{RESULTS}/searches/{{search}}/{table}.parquet", search=SEARCHES) for table in ("found", "steps")
}
FOUND = [*OF_SEARCHES["found"], *OF_SEARCHES["steps"]]
PREDICTED = expand("{results}/regressions/{regression}.parquet", results=RESULTS, regression=REGRESSIONS)
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
    regression="[A-Za-z0-9][A-Za-z0-9_-]*",


def family_file(wildcards):
    """Give the file that a family reads, if it reads one, so that a change of it makes its structures anew."""
    path = SETTINGS.families[wildcards.family].parameters.get("path")
    # Local: the prefix of a module is for what the workflow writes.
    return [] if path is None else local(path)


def kernels_of(descriptor):
    """Give the mark that a descriptor's kernels are compiled; a user's own file compiles in its jobs."""
    kind = SETTINGS.descriptors[descriptor].kind
    return [] if ".py" in kind else f"{RESULTS}/kernels/{kind}"


def job_of(wildcards):
    """Give the job that makes a table of sensitivities."""
    return JOBS[wildcards.family, wildcards.descriptor, wildcards.job]
