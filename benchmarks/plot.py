"""Dots of the time per environment, one panel per task, one line per set and size."""

from matplotlib.figure import Figure

COLOURS = {"nullmode": "#cc3311", "featomic": "#4477aa", "dscribe": "#228833", "quippy": "#aa88bb", "floor": "#222222"}
MARKERS = {"floor": "|"}


def shown(code):
    """Name a code without its linear algebra, of which QR and the SVD of R is drawn, the faster one."""
    return code.removesuffix(" + QR + SVD of R")


def plot(frame, tasks):
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    panels = figure.subplots(1, len(tasks), sharey=True)
    for axes, task in zip(panels, tasks, strict=True):
        rows = frame[frame["task"] == task]
        places = {key: place for place, key in enumerate(rows.groupby(["set", "n_max", "l_max"], sort=False).groups)}
        for code, colour in COLOURS.items():
            chosen = rows[rows["code"].map(shown) == code]
            y = [places[key] for key in zip(chosen["set"], chosen["n_max"], chosen["l_max"], strict=True)]
            marker = MARKERS.get(code, "o")
            size, order = 9 if marker == "|" else 5, 4 if code == "nullmode" else 3
            axes.plot(chosen["median"], y, marker, color=colour, markersize=size, zorder=order, label=code)
        axes.set_xscale("log")
        axes.set_yticks(list(places.values()), [f"{name}, ({n_max}, {l_max})" for name, n_max, l_max in places])
        axes.set_ylim(len(places) - 0.5, -0.5)
        axes.grid(axis="y", linewidth=0.3)
        axes.set_xlabel("time per environment / µs")
        axes.set_title(task)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure
