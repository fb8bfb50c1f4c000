rule claims:
    input:
        claims=local(ancient(SETTINGS.claims)),
        sensitivity=[TABLES["sensitivity"]],
        summary=[TABLES["summary"]],
        structures=STRUCTURES,
        search=OF_SEARCHES["found"],
        search_steps=OF_SEARCHES["steps"],
        regression=PREDICTED,
    output:
        table=f"{RESULTS}/claims.parquet",
        page=report(f"{RESULTS}/claims.html", caption="../report/claims.rst", category="Claims"),
    log:
        f"{RESULTS}/logs/claims.log",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        claims=lambda wildcards: nullmode._support.code_hash.digest(SETTINGS.claims),
        code=lambda wildcards: coded("claims", nullmode.sweep.origins.claims_code(SETTINGS.claims)),
    script:
        "../scripts/claims.py"
