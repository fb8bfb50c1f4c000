rule search:
    input:
        structures=lambda wildcards: f"{RESULTS}/structures/{SEARCHES[wildcards.search]['family']}.parquet",
        references=lambda wildcards: expand(
            f"{RESULTS}/structures/{{reference}}.parquet", reference=SEARCHES[wildcards.search]["references"]
        ),
        kernels=lambda wildcards: kernels_of(SEARCHES[wildcards.search]["descriptor"]),
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
        cell=lambda wildcards: SEARCHES[wildcards.search],
        code=lambda wildcards: nullmode.sweep.cells.search_code(SETTINGS, wildcards.search),
    script:
        "../scripts/search.py"
