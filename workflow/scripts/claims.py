"""Hold the tables of a run against its claims."""

from typing import TYPE_CHECKING

from nullmode._support import code_hash
from nullmode._support.files import written
from nullmode.claims import ledger, model, page, sql
from nullmode.sweep.joblog import job_log
from nullmode.tables import parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        code_hash.check_unchanged(snakemake.params.code)
        stated = model.read(snakemake.input.claims)
        files = {view: snakemake.input.get(view, []) for view in sql.VIEWS}
        frame = ledger.ledger(stated, files)
        read = parquet.inputs({path: path for paths in files.values() for path in paths})
        expected = {snakemake.input.claims: {"sha256": snakemake.params.claims}}
        provenance = {**snakemake.params.code, "inputs": read | expected}
        parquet.write(frame, snakemake.output.table, "claims", provenance)
        with written(snakemake.output.page) as temporary:
            temporary.write_text(page.page(frame, stated, provenance), encoding="utf-8")
