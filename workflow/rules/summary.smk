rule summary:
    input:
        PARTS,
    output:
        **TABLES,
    log:
        f"{RESULTS}/logs/summary.log",
    params:
        code=nullmode.fingerprint.code_hash("nullmode.study"),
    script:
        "../scripts/summary.py"
