# Compile once, before many jobs would each do it. No `ancient` on its output: Snakemake 9.27 then leaves out every
# missing file downstream whenever this rule runs.
rule kernels:
    output:
        touch(f"{RESULTS}/kernels/{{kind}}"),
    log:
        f"{RESULTS}/logs/kernels/{{kind}}.log",
    params:
        code=lambda wildcards: nullmode.settings.kind_code(wildcards.kind),
    script:
        "../scripts/kernels.py"


rule sensitivity:
    input:
        structures=f"{RESULTS}/structures/{{family}}.parquet",
        references=lambda wildcards: expand(
            f"{RESULTS}/structures/{{reference}}.parquet",
            reference=JOBS[wildcards.family, wildcards.descriptor, wildcards.job]["references"],
        ),
        kernels=lambda wildcards: kernels_of(wildcards.descriptor),
    output:
        f"{RESULTS}/sensitivity/family={{family}}/descriptor={{descriptor}}/{{job}}.parquet",
    log:
        f"{RESULTS}/logs/sensitivity/{{family}}/{{descriptor}}/{{job}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity/{{family}}/{{descriptor}}/{{job}}.tsv"
    params:
        cell=lambda wildcards: JOBS[wildcards.family, wildcards.descriptor, wildcards.job],
        code=lambda wildcards: nullmode.settings.kind_code(SETTINGS.descriptors[wildcards.descriptor].kind),
    script:
        "../scripts/sensitivity.py"
