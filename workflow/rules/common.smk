import pathlib
import sys

import nullmode._support.code_hash
import nullmode.sweep.entries
import nullmode.sweep.jobs
import nullmode.sweep.origins
import nullmode.sweep.report
import nullmode.sweep.settings
import nullmode.sweep.tasks
import nullmode._support.types

try:
    if workflow.is_main_process and workflow.modifier.is_main_snakefile():
        import nullmode._support.yaml_file

        for file in workflow.configfiles:
            nullmode._support.yaml_file.read_yaml(file)
    SETTINGS = nullmode.sweep.settings.check(config)
    # Jobs read the file themselves; to check its queries takes half a second, too long for the start of each.
    if SETTINGS.claims and workflow.is_main_process:
        import nullmode.claims.ledger

        nullmode.claims.ledger.check(SETTINGS.claims, SETTINGS.figures)
except nullmode._support.types.InputError as error:
    sys.exit(f"The configuration cannot be run:\n{error}")

RESULTS = SETTINGS.results
JOBS = {job.name: job for job in nullmode.sweep.jobs.plan(SETTINGS)}
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

RULES = (
    "structures",
    "layout",
    "sensitivity",
    "summary",
    "search",
    "regression",
    "explanation",
    "figure",
    "view",
    "claims",
)
# By content: Snakemake would rerun everything after a fresh clone, since it compares the times of scripts.
SCRIPTS = {rule: nullmode._support.code_hash.meaning(workflow.source_path(f"../scripts/{rule}.py")) for rule in RULES}

# Snakemake takes a file that exists for a result, unless it remembers to have made it otherwise, under this spelling and
# in this working directory. What files say themselves holds wherever they are.
MANIFEST = {}
if workflow.is_main_process:
    import nullmode.sweep.contents
    import nullmode.sweep.stale

    try:
        PLAN = nullmode.sweep.contents.contents(SETTINGS, JOBS.values(), SCRIPTS)
        # Where the results of a module with a prefix really are.
        where = str(workflow.modifier.path_modifier.modify(RESULTS, property="output"))
        opening = nullmode.sweep.stale.open_results(
            where, PLAN, [str(pathlib.Path(file).resolve()) for file in workflow.configfiles]
        )
        # The rules of a caller keep the triggers that it chose.
        opening.enforce(workflow, alone=workflow.modifier.is_main_snakefile())
    except nullmode._support.types.InputError as error:
        sys.exit(f"The results cannot be used:\n{error}")
    MANIFEST = opening.manifest
    if opening.message:
        logger.info(opening.message)


wildcard_constraints:
    family="[A-Za-z0-9][A-Za-z0-9_-]*",
    descriptor="[A-Za-z0-9][A-Za-z0-9_-]*",
    figure="[A-Za-z0-9][A-Za-z0-9_-]*",
    search="[A-Za-z0-9][A-Za-z0-9_-]*",
    view="[A-Za-z0-9][A-Za-z0-9_-]*",
    job="[A-Za-z0-9][A-Za-z0-9_.+-]*",


def coded(rule, code):
    """Add the script of a rule to the origin of its job."""
    return {**code, "script": SCRIPTS[rule]}


def family_files(wildcards):
    """Give the files that a family reads; their content counts, not their times."""
    # Local: the prefix of a module is for what the workflow writes.
    return [local(ancient(path)) for path in nullmode.sweep.origins.files_of_family(SETTINGS, wildcards.family)]


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
