# All regressions with one descriptor, whose features are computed once.
rule regressions:
    input:
        structures=lambda wildcards: structures_of(REGRESSIONS[wildcards.descriptor]),
        references=lambda wildcards: references_of(REGRESSIONS[wildcards.descriptor]),
    output:
        f"{RESULTS}/regressions/{{descriptor}}.parquet",
    log:
        f"{RESULTS}/logs/regressions/{{descriptor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/regressions/{{descriptor}}.tsv"
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        kind=lambda wildcards: REGRESSIONS[wildcards.descriptor][0].kind,
        tasks=lambda wildcards: plain(REGRESSIONS[wildcards.descriptor]),
        code=lambda wildcards: coded(
            "regression", nullmode.sweep.origins.regression_code(SETTINGS, wildcards.descriptor)
        ),
    script:
        "../scripts/regression.py"
