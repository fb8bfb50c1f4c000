rule figure:
    input:
        f"{RESULTS}/tables/sensitivity.parquet",
    output:
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        svg=f"{RESULTS}/figures/{{figure}}.svg",
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    params:
        figure=lambda wildcards: SETTINGS.figures[wildcards.figure].model_dump(),
        caption=lambda wildcards: nullmode.settings.caption(SETTINGS, wildcards.figure),
        code=lambda wildcards: nullmode.settings.figure_code(SETTINGS, wildcards.figure),
    script:
        "../scripts/figure.py"
