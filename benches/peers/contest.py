"""The contestants and their turns: a process is started, timed and, on a timeout, ended."""

import json
import os
import resource
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import machine

# The epochs after which accuracies are compared; the first is the warm-up.
EPOCHS = 3
# No more than this in a turn, however short an epoch is.
MOST_EPOCHS = 300


class Failure(Exception):
    """Why a peer is out of the contest, in words for the table."""


@dataclass
class Turn:
    steps: int
    seconds: float
    others: float | None  # fraction of all cores that other programs took meanwhile


@dataclass
class Entry:
    """A row of the table."""

    network: str
    on: str
    program: str
    turns: list[Turn] = field(default_factory=list)
    first: list[float] = field(default_factory=list)  # s from process start to the end of epoch 1
    accuracy: float | None = None
    failure: str | None = None

    def quiet(self):
        """The turns in which nothing else ran."""
        return [turn for turn in self.turns if not disturbed(turn)]

    def rates(self):
        """Steps/s of each turn in which the machine was quiet, or of all if it never was."""
        return [turn.steps / turn.seconds for turn in self.quiet() or self.turns]

    def rate(self):
        return statistics.median(self.rates()) if self.turns else None


def disturbed(turn):
    return turn.others is not None and turn.others > machine.QUIET


class Process:
    """A program in a session of its own, so that whatever it starts ends with it."""

    def __init__(self, command, limit, **pipes):
        self.limit, self.late = limit, False
        self.errors = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(
            [str(word) for word in command],
            text=True, start_new_session=True, **{"stderr": self.errors, **pipes},
        )

    def timer(self):
        timer = threading.Timer(self.limit, self.expire)
        timer.daemon = True
        timer.start()
        return timer

    def expire(self):
        self.late = True
        self.kill()

    def kill(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def failure(self, what):
        if self.late:
            return Failure(f"{what} took longer than the limit of {self.limit:.0f} s")
        self.child.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return Failure(f"{what} failed: {lines[-1] if lines else f'exit code {self.child.returncode}'}")


class Peer:
    """One that speaks the protocol of peer.py and lives through all rounds."""

    def __init__(self, entry, command, limit):
        self.entry, self.command, self.limit, self.process = entry, command, limit, None

    def ask(self, line, what):
        timer, answer = self.process.timer(), ""
        try:
            self.process.child.stdin.write(f"{line}\n")
            self.process.child.stdin.flush()
            answer = self.process.child.stdout.readline()
        except BrokenPipeError:
            pass  # It died; the empty answer says so.
        finally:
            timer.cancel()
        if not answer:
            raise self.process.failure(what)
        try:
            return json.loads(answer)
        except ValueError:
            self.process.kill()
            raise Failure(f"{what} answered {answer.strip()[:80]!r}, which is no JSON") from None

    def turn(self, steps, seconds):
        if self.process is None:
            started = time.perf_counter()
            self.process = Process(self.command, self.limit, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.ask("train 1", "the first epoch")
            self.entry.first.append(time.perf_counter() - started)
            self.take(EPOCHS - 1, steps)
            self.entry.accuracy = self.ask("measure", "measuring")["accuracy"]
        else:
            self.take(epochs_for(seconds, steps / self.entry.rate()), steps)

    def take(self, epochs, steps):
        watch = machine.Watch(self.process.child.pid)
        answers = self.ask(f"train {epochs}", f"{epochs} epochs")["epochs"]
        spent = sum(answer["seconds"] for answer in answers)
        self.entry.turns.append(Turn(epochs * steps, spent, watch.others()))

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.child.wait()


class Wgrad:
    """The wgrad binary: a fresh process in every round. The rate is that of the epochs after
    the first, as metrics.jsonl has it: the time of the steps with their shuffling and reading
    back of losses, without the held-out images, which it measures after each epoch."""

    def __init__(self, entry, command, limit, folder, batch):
        self.entry, self.command, self.limit = entry, command, limit
        self.folder, self.batch = folder, batch

    def turn(self, steps, seconds):
        rate = self.entry.rate()
        epochs = EPOCHS if rate is None else 1 + max(EPOCHS - 1, epochs_for(seconds, steps / rate))
        out = tempfile.mkdtemp(dir=self.folder)
        watch, started = machine.Watch(None), time.perf_counter()
        command = [*self.command, "--epochs", epochs, "--out", out, "--quiet", "--json"]
        answer = self.train(Process(command, self.limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE), started)
        others = watch.others()
        lines = Path(json.loads(answer)["run"], "metrics.jsonl").read_text().splitlines()
        rows = [row for row in map(json.loads, lines) if row["kind"] == "epoch"]
        samples = steps * self.batch
        spent = sum(samples / row["samples_per_second"] for row in rows[1:])
        self.entry.turns.append(Turn(steps * (epochs - 1), spent, others))
        if self.entry.accuracy is None:
            self.entry.accuracy = rows[-1]["held_out_accuracy"]

    def train(self, process, started):
        """What the process prints in the end; notes when its first epoch ends."""
        timer = process.timer()
        try:
            for line in process.child.stderr:
                process.errors.write(line)
                if line.split()[:2] == ["epoch", "1"]:
                    # Later than the epoch's end by the measuring of the held-out images.
                    self.entry.first.append(time.perf_counter() - started)
            answer = process.child.stdout.read()
            process.child.wait()
        finally:
            timer.cancel()
            if process.child.poll() is None:  # The contest was interrupted.
                process.kill()
        if process.child.returncode != 0:
            raise process.failure("training")
        return answer

    def close(self):
        pass


def epochs_for(seconds, epoch):
    return max(1, min(MOST_EPOCHS, round(seconds / epoch)))
