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
from configs import CHECKOUT

RESULTS = Path("results/test")


class Project:
    """A folder with the workflow, in which snakemake runs with a copy of the package."""

    def __init__(self, folder, source, cache):
        self.folder, self.source, self.cache = folder, source, cache

    @classmethod
    def new(cls, folder, cache):
        for name in ("workflow", "config", "src/nullmode", "tests/data", "docs/examples"):
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(CHECKOUT / "Snakefile", folder)
        return cls(folder, folder / "src", cache)

    def command(self, *arguments, config="config/test.yaml", profile="default", variables=MappingProxyType({})):
        own = {"PYTHONPATH": str(self.source), "NULLMODE_CACHE": str(self.cache)}
        snakemake = [sys.executable, "-m", "snakemake", "--workflow-profile", f"workflow/profiles/{profile}"]
        return {
            "args": [*snakemake, "--cores", "2", *arguments, "--configfile", *config.split()],
            "cwd": self.folder,
            "env": {**os.environ, **own, **variables},
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
        """First outputs of the jobs that a run would start or started, without the hash in a name."""
        outputs = re.findall(r"^    output: ([^,\n]+)", self.run(*arguments, **options), flags=re.MULTILINE)
        names = [Path(output).relative_to(RESULTS).as_posix() for output in outputs]
        assert len(names) == len(set(names))
        return {re.sub(r"(/all)?_[0-9a-f]{6}\.parquet$", "", name) for name in names}

    def configure(self, config):
        (self.folder / "config/test.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def edit(self, path, old, new):
        self.source = self.folder / "src"
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
