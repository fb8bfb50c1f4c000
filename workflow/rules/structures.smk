rule structures:
    input:
        family_files,
    output:
        f"{RESULTS}/structures/{{family}}.parquet",
    log:
        f"{RESULTS}/logs/structures/{{family}}.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        files=lambda wildcards: nullmode.sweep.origins.files_of_family(SETTINGS, wildcards.family),
        family=lambda wildcards: SETTINGS.families[wildcards.family].model_dump(),
        code=lambda wildcards: coded("structures", nullmode.sweep.origins.structures_code(SETTINGS, wildcards.family)),
    script:
        "../scripts/structures.py"
