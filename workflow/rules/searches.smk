rule search:
    input:
        structures=lambda wildcards: structures_of([SEARCHES[wildcards.search]]),
        references=lambda wildcards: references_of([SEARCHES[wildcards.search]]),
    output:
        found=f"{RESULTS}/searches/{{search}}/found.parquet",
        steps=f"{RESULTS}/searches/{{search}}/steps.parquet",
    log:
        f"{RESULTS}/logs/searches/{{search}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/searches/{{search}}.tsv"
    resources:
        runtime=lambda wildcards, attempt: 120 * attempt,
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        kind=lambda wildcards: SEARCHES[wildcards.search].kind,
        task=lambda wildcards: plain([SEARCHES[wildcards.search]])[0],
        code=lambda wildcards: coded("search", nullmode.sweep.origins.search_code(SETTINGS, wildcards.search)),
    script:
        "../scripts/search.py"
