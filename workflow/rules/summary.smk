rule summary:
    input:
        PARTS,
    output:
        **TABLES,
    log:
        f"{RESULTS}/logs/summary.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=coded("summary", nullmode.sweep.origins.summary_code()),
        order=list(SETTINGS.descriptors),
    script:
        "../scripts/summary.py"
