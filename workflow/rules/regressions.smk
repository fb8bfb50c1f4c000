rule regression:
    input:
        structures=lambda wildcards: expand(
            f"{RESULTS}/structures/{{family}}.parquet", family=REGRESSIONS[wildcards.regression]["families"]
        ),
        references=lambda wildcards: expand(
            f"{RESULTS}/structures/{{reference}}.parquet", reference=REGRESSIONS[wildcards.regression]["references"]
        ),
        kernels=lambda wildcards: kernels_of(REGRESSIONS[wildcards.regression]["descriptor"]),
    output:
        f"{RESULTS}/regressions/{{regression}}.parquet",
    log:
        f"{RESULTS}/logs/regressions/{{regression}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/regressions/{{regression}}.tsv"
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        cell=lambda wildcards: REGRESSIONS[wildcards.regression],
        code=lambda wildcards: nullmode.sweep.cells.regression_code(SETTINGS, wildcards.regression),
    script:
        "../scripts/regression.py"
