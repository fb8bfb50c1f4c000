rule structures:
    input:
        family_files,
    output:
        f"{RESULTS}/structures/{{family}}.parquet",
    log:
        f"{RESULTS}/logs/structures/{{family}}.log",
    # What stops this job is in its input, and stays there: it asks at once for what the largest attempt would.
    retries: 0
    resources:
        runtime=lambda wildcards, input: 120 + input.size_mb / 10,
        mem_mb=lambda wildcards, input: 4000 + 30 * input.size_mb,
    params:
        files=lambda wildcards: nullmode.sweep.origins.files_of_family(SETTINGS, wildcards.family),
        family=lambda wildcards: SETTINGS.families[wildcards.family].model_dump(),
        code=lambda wildcards: coded("structures", nullmode.sweep.origins.structures_code(SETTINGS, wildcards.family)),
    script:
        "../scripts/structures.py"
