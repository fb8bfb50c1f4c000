# Compile once, before many jobs would each do it. No `ancient` on its output: Snakemake 9.27 then leaves out every
# missing file downstream whenever this rule runs.
rule kernels:
    output:
        touch(f"{RESULTS}/kernels/{{kind}}"),
    log:
        f"{RESULTS}/logs/kernels/{{kind}}.log",
    resources:
        runtime=lambda wildcards, attempt: 15 * attempt,
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        code=lambda wildcards: kind_code(wildcards.kind),
    script:
        "../scripts/kernels.py"


# What a job that holds a part of a family's structures has to know of the others.
rule layout:
    input:
        f"{RESULTS}/structures/{{family}}.parquet",
    output:
        f"{RESULTS}/layouts/{{family}}/{{scope}}_{{cutoff}}.json",
    log:
        f"{RESULTS}/logs/layouts/{{family}}/{{scope}}_{{cutoff}}.log",
    wildcard_constraints:
        scope="environment|structure",
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=nullmode._support.code_hash.origin("nullmode.sweep.sensitivity"),
    script:
        "../scripts/layout.py"


rule sensitivity:
    input:
        structures=f"{RESULTS}/structures/{{family}}.parquet",
        references=lambda wildcards: expand(
            f"{RESULTS}/structures/{{reference}}.parquet", reference=job_of(wildcards).cell["references"]
        ),
        layouts=lambda wildcards: expand(
            f"{RESULTS}/layouts/{wildcards.family}/{{scope}}_{{cutoff}}.json",
            scope=job_of(wildcards).cell["scope"],
            cutoff=job_of(wildcards).cell["layouts"],
        ),
        kernels=lambda wildcards: kernels_of(wildcards.descriptor),
    output:
        f"{RESULTS}/sensitivity/family={{family}}/descriptor={{descriptor}}/{{job}}.parquet",
    log:
        f"{RESULTS}/logs/sensitivity/{{family}}/{{descriptor}}/{{job}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity/{{family}}/{{descriptor}}/{{job}}.tsv"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: job_of(wildcards).runtime(attempt),
        mem_mb=lambda wildcards, attempt: job_of(wildcards).mem_mb(attempt),
    params:
        cell=lambda wildcards: job_of(wildcards).cell,
        code=lambda wildcards: kind_code(SETTINGS.descriptors[wildcards.descriptor].kind),
    script:
        "../scripts/sensitivity.py"
