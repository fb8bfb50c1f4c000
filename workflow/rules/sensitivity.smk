rule kernels:
    """Compile once, before many jobs would each do it."""
    output:
        touch(f"{RESULTS}/.kernels"),
    log:
        f"{RESULTS}/logs/kernels.log",
    params:
        code=nullmode.fingerprint.kernel_hash(),
    script:
        "../scripts/kernels.py"


rule sensitivity:
    input:
        structures=f"{RESULTS}/structures/{{family}}.parquet",
        kernels=ancient(f"{RESULTS}/.kernels"),
    output:
        f"{RESULTS}/sensitivity/family={{family}}/descriptor={{descriptor}}/{{job}}.parquet",
    log:
        f"{RESULTS}/logs/sensitivity/{{family}}/{{descriptor}}/{{job}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity/{{family}}/{{descriptor}}/{{job}}.tsv"
    params:
        cell=lambda wildcards: JOBS[wildcards.family, wildcards.descriptor, wildcards.job],
        code=lambda wildcards: nullmode.settings.descriptor_code(SETTINGS, wildcards.descriptor),
    script:
        "../scripts/sensitivity.py"
