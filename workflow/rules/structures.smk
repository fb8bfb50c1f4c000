rule structures:
    input:
        family_file,
    output:
        f"{RESULTS}/structures/{{family}}.parquet",
    log:
        f"{RESULTS}/logs/structures/{{family}}.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        family=lambda wildcards: SETTINGS.families[wildcards.family].model_dump(),
        code=lambda wildcards: nullmode.sweep.origins.structures_code(SETTINGS, wildcards.family),
    script:
        "../scripts/structures.py"
