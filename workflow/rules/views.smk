rule view:
    input:
        table=f"{RESULTS}/tables/sensitivity.parquet",
        structures=lambda wildcards: expand(
            f"{RESULTS}/structures/{{family}}.parquet", family=SETTINGS.views[wildcards.view].families
        ),
    output:
        report(
            f"{RESULTS}/views/{{view}}.html",
            caption="../report/view.rst",
            category="Interactive",
            labels={"view": "{view}"},
        ),
    log:
        f"{RESULTS}/logs/views/{{view}}.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        view=lambda wildcards: SETTINGS.views[wildcards.view].model_dump(),
        descriptor=lambda wildcards: SETTINGS.descriptors[SETTINGS.views[wildcards.view].descriptor].model_dump(
            include={"kind", "scope", "centers", "feature_tolerance"}
        ),
        code=lambda wildcards: coded("view", nullmode.sweep.origins.view_code(SETTINGS, wildcards.view)),
    script:
        "../scripts/view.py"
