"""Whether the contest itself works: wgrad on tiny data beside stand-ins for peers."""

import sys
import tempfile
from pathlib import Path

import report
import work
from contest import Entry, Failure, Peer
from field import Field

ROOT = Path(__file__).resolve().parents[2]

ANSWERS = """
import json, sys
for line in sys.stdin:
    word, *count = line.split()
    epochs = [{"seconds": 0.5, "loss": 1.0}] * int(*count)
    print(json.dumps({"epochs": epochs} if word == "train" else {"accuracy": 0.5}), flush=True)
"""
DIES = "import sys; sys.exit('no memory left')"
HANGS = "import time; time.sleep(60)"


def run(options):
    network = work.NETWORKS[0]
    options.devices, options.peers = "cpu", "none of them"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        data = work.cut(ROOT / "data/mnist", folder / "tiny", work.TINY, 500)
        steps = work.TINY // network.batch
        [wgrad] = Field(options, folder).contestants(network, data)
        scripts = [("answers", ANSWERS, 20), ("dies", DIES, 20), ("hangs", HANGS, 1)]
        stand_ins = [stand_in(*each) for each in scripts]
        for contestant in [wgrad, *stand_ins] * 2:
            try:
                if contestant.entry.failure is None:
                    contestant.turn(steps, 0.1)
            except Failure as failure:
                contestant.entry.failure = str(failure)
        for contestant in stand_ins:
            contestant.close()
    entries = [contestant.entry for contestant in [wgrad, *stand_ins]]
    report.terminal(report.rows(entries, {network.name: steps}, {network.name: 100}))
    wrong = [what for what, right in checks(*entries, steps) if not right]
    print(*[f"wrong: {what}" for what in wrong] or ["all as it should be"], sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def stand_in(name, script, limit):
    return Peer(Entry(work.NETWORKS[0].name, "cpu", name), [sys.executable, "-c", script], limit)


def checks(wgrad, answers, dies, hangs, steps):
    """What must hold, and whether it does."""
    yield "wgrad takes two turns of whole epochs", [turn.steps % steps for turn in wgrad.turns] == [0, 0]
    yield "wgrad's first epoch is timed in each", len(wgrad.first) == 2
    yield "wgrad learns", wgrad.failure is None and wgrad.accuracy > 0.2
    yield "a peer's rate is its steps through its own seconds", answers.rate() == steps / 0.5
    yield "a peer that dies says why", dies.failure == "the first epoch failed: no memory left"
    yield "a peer that hangs is ended", hangs.failure == "the first epoch took longer than the limit of 1 s"
    near, far = (Entry("n", "cpu", "p", accuracy=accuracy) for accuracy in (0.95, 0.90))
    others = [Entry("n", "cpu", "q", accuracy=0.955) for _ in range(2)]
    yield "only an accuracy outside the band is an outlier", report.outliers([near, far, *others], {"n": 1.0}) == {id(far)}
