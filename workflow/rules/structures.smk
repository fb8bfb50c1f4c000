def family_file(wildcards):
    """Give the file that a family reads, if it reads one, so that a change of it makes its structures anew."""
    path = SETTINGS.families[wildcards.family].parameters.get("path")
    return [] if path is None else path


rule structures:
    input:
        family_file,
    output:
        f"{RESULTS}/structures/{{family}}.parquet",
    log:
        f"{RESULTS}/logs/structures/{{family}}.log",
    params:
        family=lambda wildcards: SETTINGS.families[wildcards.family].model_dump(),
        code=lambda wildcards: nullmode.settings.family_code(SETTINGS, wildcards.family),
    script:
        "../scripts/structures.py"
