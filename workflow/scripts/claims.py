"""Hold the tables of a run against its claims."""

from typing import TYPE_CHECKING

from nullmode import claims, fingerprint, ledger, ledger_page, sql, tables
from nullmode.files import written
from nullmode.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    with job_log(snakemake.log[0], snakemake.input, snakemake.output):
        fingerprint.check_unchanged(snakemake.params.code)
        stated = claims.read(snakemake.input.claims)
        files = {view: snakemake.input.get(view, []) for view in sql.VIEWS}
        frame = ledger.ledger(stated, files)
        read = tables.inputs({path: path for paths in files.values() for path in paths})
        expected = {snakemake.input.claims: {"sha256": snakemake.params.claims}}
        provenance = {**snakemake.params.code, "inputs": read | expected}
        tables.write(frame, snakemake.output.table, "claims", provenance)
        with written(snakemake.output.page) as temporary:
            temporary.write_text(ledger_page.page(frame, stated, provenance), encoding="utf-8")
