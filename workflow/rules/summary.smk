rule summary:
    input:
        [
            f"{RESULTS}/sensitivity/family={family}/descriptor={descriptor}/{job}.parquet"
            for family, descriptor, job in JOBS
        ],
    output:
        sensitivity=f"{RESULTS}/tables/sensitivity.parquet",
        summary=f"{RESULTS}/tables/summary.parquet",
    log:
        f"{RESULTS}/logs/summary.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        order=list(SETTINGS.descriptors),
        code=nullmode.fingerprint.code_hash("nullmode.study"),
    script:
        "../scripts/summary.py"
