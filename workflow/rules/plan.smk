# Which files belong to this configuration; nullmode.load reads no others of the folder.
rule plan:
    output:
        f"{RESULTS}/plan.json",
    log:
        f"{RESULTS}/logs/plan.log",
    params:
        plan=lambda wildcards: MANIFEST,
    script:
        "../scripts/plan.py"
