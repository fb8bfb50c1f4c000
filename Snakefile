include: "workflow/Snakefile"


# Snakemake takes no default target from an included file; without one of its own, `snakemake` would do nothing.
rule default:
    default_target: True
    input:
        rules.all.input,
