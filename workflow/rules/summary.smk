rule summary:
    input:
        PARTS,
    output:
        **TABLES,
    log:
        f"{RESULTS}/logs/summary.log",
    params:
        code=nullmode.fingerprint.origin("nullmode.study", "nullmode.dataset"),
    script:
        "../scripts/summary.py"
