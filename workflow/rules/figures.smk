rule explanation:
    input:
        table=TABLES["sensitivity"],
        structures=lambda wildcards: expand(
            f"{RESULTS}/structures/{{family}}.parquet",
            family=nullmode.sweep.settings.explanation(SETTINGS, wildcards.figure)["families"],
        ),
    output:
        f"{RESULTS}/explanations/{{figure}}.parquet",
    log:
        f"{RESULTS}/logs/explanations/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/explanations/{{figure}}.tsv"
    resources:
        runtime=lambda wildcards, attempt: 60 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        explanation=lambda wildcards: nullmode.sweep.settings.explanation(SETTINGS, wildcards.figure),
        code=lambda wildcards: coded("explanation", nullmode.sweep.origins.explanation_code(SETTINGS, wildcards.figure)),
    script:
        "../scripts/explanation.py"


rule figure:
    input:
        lambda wildcards: [
            f"{RESULTS}/{file}" for *_, file in nullmode.sweep.settings.figure_tables(SETTINGS, wildcards.figure)
        ],
    output:
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        svg=f"{RESULTS}/figures/{{figure}}.svg",
        caption=f"{RESULTS}/figures/{{figure}}.rst",
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: nullmode.sweep.report.labels(SETTINGS, wildcards.figure),
        ),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    resources:
        runtime=lambda wildcards, attempt: 30 * attempt,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        figure=lambda wildcards: SETTINGS.figures[wildcards.figure].model_dump(exclude={"claim"}),
        tables=lambda wildcards: nullmode.sweep.settings.figure_tables(SETTINGS, wildcards.figure),
        caption=lambda wildcards: nullmode.sweep.report.caption(SETTINGS, wildcards.figure),
        code=lambda wildcards: coded("figure", nullmode.sweep.origins.figure_code(SETTINGS, wildcards.figure)),
    script:
        "../scripts/figure.py"
