# What a job that holds a part of a family's structures has to know of the others.
rule layout:
    input:
        f"{RESULTS}/structures/{{family}}.parquet",
    output:
        f"{RESULTS}/layouts/{{family}}/{{scope}}_{{cutoff}}.json",
    log:
        f"{RESULTS}/logs/layouts/{{family}}/{{scope}}_{{cutoff}}.log",
    wildcard_constraints:
        scope="environment|structure|potential",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=coded("layout", nullmode.sweep.origins.layout_code()),
    script:
        "../scripts/layout.py"


rule sensitivity:
    input:
        structures=lambda wildcards: structures_of(JOBS[wildcards.job].tasks),
        references=lambda wildcards: references_of(JOBS[wildcards.job].tasks),
        layouts=lambda wildcards: layouts_of(JOBS[wildcards.job].tasks),
    output:
        f"{RESULTS}/sensitivity/{{job}}.parquet",
    log:
        f"{RESULTS}/logs/sensitivity/{{job}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity/{{job}}.tsv"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: JOBS[wildcards.job].runtime(attempt),
        mem_mb=lambda wildcards, attempt: JOBS[wildcards.job].mem_mb(attempt),
    params:
        kind=lambda wildcards: JOBS[wildcards.job].kind,
        tasks=lambda wildcards: plain(JOBS[wildcards.job].tasks),
        code=lambda wildcards: coded(
            "sensitivity",
            nullmode.sweep.origins.sensitivity_code(
                JOBS[wildcards.job].kind, JOBS[wildcards.job].bases, JOBS[wildcards.job].tasks
            ),
        ),
    script:
        "../scripts/sensitivity.py"
