"""A folder in which tests run the workflow."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import yaml
from configs import CHECKOUT, lean

RESULTS = Path("results/test")


def copy(source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


class Project:
    """A folder with the workflow. It runs with the package of this checkout and its kernels, until a test edits it."""

    def __init__(self, folder, source=CHECKOUT / "src"):
        self.folder, self.source = folder, source

    @classmethod
    def new(cls, folder):
        for name in ("workflow", "config", "tests/data", "docs/examples"):
            copy(CHECKOUT / name, folder / name)
        shutil.copy(CHECKOUT / "Snakefile", folder)
        project = cls(folder)
        project.configure(lean())
        return project

    def copy(self, folder):
        copy(self.folder, folder)
        return Project(folder, self.source)

    def command(self, *arguments, config="config/test.yaml", profile="default", variables=MappingProxyType({})):
        snakemake = [sys.executable, "-m", "snakemake", "--workflow-profile", f"workflow/profiles/{profile}"]
        return {
            "args": [*snakemake, "--cores", "2", *arguments, "--configfile", *config.split()],
            "cwd": self.folder,
            "env": {**os.environ, "PYTHONPATH": str(self.source), **variables},
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
        }

    def start(self, *arguments, **options):
        return subprocess.run(**self.command(*arguments, **options), check=False)

    @contextmanager
    def running(self, *arguments, **options):
        """A run in the background, ended with the block."""
        run = subprocess.Popen(**self.command(*arguments, **options))
        try:
            yield run
        finally:
            run.kill()
            run.wait()
            run.stdout.close()

    def run(self, *arguments, **options):
        done = self.start(*arguments, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def jobs(self, *arguments, **options):
        """First outputs of the jobs that a run would start or started, without the hash in a name, and the plan."""
        outputs = re.findall(r"^    output: ([^,\n]+)", self.run(*arguments, **options), flags=re.MULTILINE)
        names = [Path(output).relative_to(RESULTS).as_posix() for output in outputs]
        assert len(names) == len(set(names))
        return {re.sub(r"_[0-9a-f]{6}\.parquet$", "", name) for name in names if Path(name).name != "plan.json"}

    def configure(self, config):
        (self.folder / "config/test.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def edit(self, path, old, new):
        self.source = self.folder / "src"
        if not self.source.exists():
            copy(CHECKOUT / "src/nullmode", self.source / "nullmode")
        file = self.source / "nullmode" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def digests(self, *endings):
        """Hashes of the results, by name."""
        folder = self.folder / RESULTS
        return {
            path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for ending in endings
            for path in folder.rglob(f"*.{ending}")
        }
