"""Rows of single tasks, without files and jobs; a task is given as plain data."""

from nullmode.sweep.regression import run_regressions
from nullmode.sweep.search import run_search
from nullmode.sweep.sensitivity import run_tasks
from nullmode.sweep.tasks import RegressionTask, SearchTask, SensitivityTask


def sensitivities(structures, task, references=None, layouts=None, **options):
    """Rows of one family under one descriptor."""
    made = SensitivityTask(**{"scope": "environment", "rtol": 1e-9, "tolerance": 1e-6, **task})
    [rows] = run_tasks([made], {made.family: structures}, references, layouts, **options)
    return rows


def searched(structures, task, references=None, **options):
    """Rows found by one search, and of its steps."""
    return run_search(structures, SearchTask(**{"rtol": 1e-9, **task}), references, **options)


def predicted(structures, task, references=None):
    """Rows of one regression."""
    [rows] = run_regressions(structures, [RegressionTask(**{"rtol": 1e-9, "tolerance": 1e-6, **task})], references)
    return rows
