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
    params:
        code=nullmode.fingerprint.origin("nullmode.study", "nullmode.dataset"),
    script:
        "../scripts/summary.py"
