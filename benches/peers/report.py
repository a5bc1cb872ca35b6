"""The table: in the terminal, as Markdown and as JSON."""

import dataclasses
import json
import statistics

import contest
import machine

HEADER = [
    "network", "on", "program", "steps/s", "min–max", "wgrad is", "first epoch", "warm-up", "accuracy",
]

NOTES = """\
steps/s: the median over interleaved rounds of whole epochs after the first, without measuring.
wgrad is: its steps/s on the same device through this program's. first epoch: from the start of the
process to the end of epoch 1, loading and compiling included (wgrad: measuring the held-out images
too). warm-up: the first epoch's time beyond that of a later one. accuracy: held out, after {epochs} epochs."""


def outliers(entries, bands):
    """The entries whose accuracy is outside their network's band around the median; they get no ratio."""
    outside = set()
    for network in {entry.network for entry in entries}:
        there = [entry for entry in entries if entry.network == network and entry.accuracy is not None]
        if there:
            middle = statistics.median(entry.accuracy for entry in there)
            width = bands[network] / 100
            outside |= {id(entry) for entry in there if not abs(entry.accuracy - middle) <= width}
    return outside


def rows(entries, steps, bands):
    outside = outliers(entries, bands)
    return [row(entry, entries, steps[entry.network], id(entry) in outside) for entry in entries]


def row(entry, entries, steps, outside):
    """The cells of one row; a ratio only of undisturbed rates of programs with the same accuracy."""
    cells = [entry.network, entry.on, entry.program]
    if entry.failure is not None:
        return [*cells, entry.failure, "", "", "", "", ""]
    rates, rate = entry.rates(), entry.rate()
    first = statistics.median(entry.first)
    accuracy = f"{entry.accuracy:.2%}".replace("%", " %")
    return [
        *cells,
        number(rate),
        f"{number(min(rates))}–{number(max(rates))}",
        "outside" if outside else ratio(entry, entries),
        f"{first:.2f} s",
        f"{max(0.0, first - steps / rate):.2f} s",
        accuracy + (" !" if outside else ""),
    ]


def ratio(entry, entries):
    """How many times as fast wgrad is on the same device, in words for the table."""
    if not entry.quiet():
        return "disturbed"
    for other in entries:
        same = (other.network, other.on) == (entry.network, entry.on)
        if same and other.program == "wgrad" and other.failure is None and other.quiet():
            return "" if other is entry else f"{other.rate() / entry.rate():.2f} ×"
    return "no wgrad"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def remarks(entries, left_out):
    """The notes below the figures."""
    lines = [NOTES.format(epochs=contest.EPOCHS)]
    turns = [turn for entry in entries for turn in entry.turns if turn.others is not None]
    if turns:
        bad = sum(map(contest.disturbed, turns))
        worst = max(turn.others for turn in turns)
        lines.append(
            f"In {bad} of {len(turns)} turns other programs took more than {machine.QUIET:.0%} of the\n"
            f"cores (at worst {worst:.0%}); such turns do not count, and a program without others has no ratio."
        )
    return lines + [f"Left out: {line}" for line in left_out]


def terminal(table):
    """Columns as wide as they must be; a failure runs over the rest of its line."""
    whole = [line for line in table if line[4]]
    widths = [max(len(line[at]) for line in [HEADER, *whole]) for at in range(len(HEADER))]
    widths[:3] = [max(len(line[at]) for line in [HEADER, *table]) for at in range(3)]
    for line in [HEADER, *table]:
        names = [word.ljust(width) for word, width in zip(line[:3], widths)]
        figures = [word.rjust(width) for word, width in zip(line[3:], widths[3:])]
        print("  ".join([*names, *(figures if line[4] else [line[3]])]).rstrip())


def markdown(table, facts, remarks):
    lines = [f"- {name}: {value}" for name, value in facts.items()] + [""]
    lines += ["| " + " | ".join(HEADER) + " |", "|---|---|---|" + "---:|" * (len(HEADER) - 3)]
    lines += ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([*lines, "", *remarks]) + "\n"


def as_json(entries, facts, remarks):
    rows = [dataclasses.asdict(entry) for entry in entries]
    return json.dumps({"facts": facts, "entries": rows, "remarks": remarks}, indent=1, ensure_ascii=False)
