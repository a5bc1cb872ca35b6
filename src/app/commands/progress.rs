//! The progress of a run on stderr. A terminal shows a bar, anything else a line per epoch.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wgrad::internals::train::trainer::{Measure, Position, Progress};

use super::console::{note_shown, thousands};

/// The most epochs that all have a line, however short they are.
const ALL_HAVE_LINES: usize = 20;
/// The number of lines of a longer run, apart from the first.
const LINES: usize = 10;
/// An epoch that ends this long after the last line always has its own.
const PAUSE: Duration = Duration::from_secs(1);

/// The progress of a run. Without a terminal it has no bar.
pub struct Display {
    bar: Option<ProgressBar>,
    /// Whether the terminal has no place for the speed.
    is_narrow: bool,
    epochs: usize,
    started: Instant,
    samples: usize,
    lines: Lines,
}

/// Chooses the epochs that have a line. Of short ones in a long run, only every Nth has.
struct Lines {
    every: usize,
    /// When the last line was printed.
    last: Option<Instant>,
    /// The line of the last epoch, as long as it isn't printed.
    held_back: Option<String>,
    /// Whether the note about omitted lines is printed.
    noted: bool,
}

impl Lines {
    fn of(epochs: usize) -> Lines {
        let every = if epochs <= ALL_HAVE_LINES { 1 } else { epochs.div_ceil(LINES) };
        Lines { every, last: None, held_back: None, noted: false }
    }

    /// What to print after an epoch with this line, now.
    fn after(&mut self, epoch: usize, line: String, now: Instant) -> Option<String> {
        let on_time = self.last.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if epoch.is_multiple_of(self.every) || on_time {
            self.last = Some(now);
            self.held_back = None;
            return Some(line);
        }
        self.held_back = Some(line);
        let note = !std::mem::replace(&mut self.noted, true);
        note.then(|| format!("        epochs are short, so there is a line every {} epochs", self.every))
    }
}

/// The columns below which there is no bar.
const NARROW: u16 = 78;

/// A template that fits into one line of the terminal. A longer one would wrap and leave lines behind.
fn template(columns: u16) -> &'static str {
    match columns {
        0..NARROW => "{prefix}  {eta} left  {wide_msg}",
        NARROW..104 => "{prefix}  {wide_bar}  {msg}  {eta} left",
        _ => "{prefix}  {bar:24}  {msg}  {eta} left",
    }
}

/// Whether a line of stderr can be drawn anew. A terminal without control codes can't.
fn draws() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Display {
    /// The progress of a run of this many epochs, from where it begins or is resumed.
    pub fn new(epochs: usize, steps_per_epoch: usize, done: Position) -> Display {
        let columns = Term::stderr().size().1;
        let bar = draws().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some((epochs * steps_per_epoch) as u64),
                ProgressDrawTarget::stderr(),
            );
            let style = ProgressStyle::with_template(template(columns));
            bar.set_style(style.expect("a fixed template").progress_chars("█▉▊▋▌▍▎▏ "));
            // The time that is left follows from the steps from here on.
            bar.set_position(((done.epoch - 1) * steps_per_epoch + done.step) as u64);
            bar.reset_eta();
            bar
        });
        let lines = Lines::of(epochs.saturating_sub(done.epoch - 1));
        let is_narrow = columns < NARROW;
        Display { bar, is_narrow, epochs, started: Instant::now(), samples: 0, lines }
    }

    /// Shows the progress after a submission.
    pub fn progress(&mut self, progress: &Progress) {
        self.samples += progress.latest.samples;
        if let Some(bar) = &self.bar {
            let so_far = progress.so_far;
            bar.set_prefix(format!("epoch {}/{}", progress.epoch, self.epochs));
            let mut message = format!("loss {:.4}  accuracy {:.2} %", so_far.loss, so_far.accuracy * 100.0);
            if !self.is_narrow {
                message += &format!("  {} samples/s", thousands(self.samples_per_second() as usize));
            }
            bar.set_message(message);
            bar.set_position(((progress.epoch - 1) * progress.steps + progress.step) as u64);
        }
    }

    /// Prints the line of an epoch.
    pub fn epoch(&mut self, epoch: usize, train: &Measure, others: &[(&str, Measure)], took: Duration) {
        let percent = |measure: &Measure| measure.accuracy * 100.0;
        let mut line = format!("epoch {epoch:>3}  loss {:.4}  accuracy {:6.2} %", train.loss, percent(train));
        for (name, measure) in others {
            line += &format!("  {name} {:.4} {:6.2} %", measure.loss, percent(measure));
        }
        line += &format!("  {}", duration(took.as_secs_f64()));
        if let Some(line) = self.lines.after(epoch, line, Instant::now()) {
            self.print(&line);
        }
    }

    /// Prints a line above the bar, whose settings are already shown as flags. After [`Display::finish`] there is none.
    ///
    /// The line of its epoch goes before it.
    pub fn line(&mut self, line: &str) {
        self.print_held_back();
        self.print(line);
    }

    fn print_held_back(&mut self) {
        if let Some(line) = self.lines.held_back.take() {
            self.print(&line);
        }
    }

    fn print(&self, line: &str) {
        match self.bar.as_ref().filter(|bar| !bar.is_finished()) {
            Some(bar) => bar.suspend(|| note_shown(line)),
            None => note_shown(line),
        }
    }

    /// Training throughput since the start, measuring included.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.started.elapsed().as_secs_f64().max(1e-9)
    }

    /// Takes the bar away, after the line of the last epoch.
    pub fn finish(&mut self) {
        self.print_held_back();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A time in seconds; in milliseconds where that would be 0.0 s.
pub fn duration(seconds: f64) -> String {
    match seconds * 1e3 {
        milliseconds @ 0.0..9.95 => format!("{milliseconds:.1} ms"),
        milliseconds @ 9.95..50.0 => format!("{milliseconds:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}

/// The progress of downloads. Without a terminal it is a line per file.
#[cfg(feature = "download")]
pub struct Bytes {
    bar: Option<ProgressBar>,
    file: String,
}

#[cfg(feature = "download")]
impl Bytes {
    pub fn new() -> Bytes {
        let bar = draws().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = match Term::stderr().size().1 {
                0..78 => "{wide_msg}  {bytes}",
                _ => "{msg}  {wide_bar}  {bytes} of {total_bytes}  {eta} left",
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.expect("a fixed template").progress_chars("█▉▊▋▌▍▎▏ "));
            bar
        });
        Bytes { bar, file: String::new() }
    }

    /// Shows how much of a file is here.
    pub fn received(&mut self, file: &str, bytes: u64, total: u64) {
        if self.file != file {
            file.clone_into(&mut self.file);
            match &self.bar {
                Some(bar) => {
                    bar.reset();
                    bar.set_message(self.file.clone());
                    bar.set_length(total);
                }
                None => note_shown(&format!("        {file}, {} bytes", thousands(total as usize))),
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The epochs with a line, when each takes this long.
    fn printed(epochs: usize, takes: Duration) -> Vec<String> {
        let (mut lines, mut now) = (Lines::of(epochs), Instant::now());
        let mut printed = Vec::new();
        for epoch in 1..=epochs {
            now += takes;
            printed.extend(lines.after(epoch, epoch.to_string(), now));
        }
        printed.extend(lines.held_back.take());
        printed
    }

    #[test]
    fn short_epochs_of_a_long_run_share_lines_and_the_last_has_one() {
        let short = Duration::from_millis(3);
        assert_eq!(printed(20, short).len(), 20);
        let note = "        epochs are short, so there is a line every 4 epochs";
        assert_eq!(printed(40, short), ["1", note, "4", "8", "12", "16", "20", "24", "28", "32", "36", "40"]);
        let lines = printed(104, short);
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (12, "104"));
        assert_eq!(printed(40, Duration::from_secs(1)).len(), 40);
    }

    #[test]
    fn short_times_are_in_milliseconds() {
        let times = [0.000_32, 0.0042, 0.0123, 0.049, 0.1, 12.34];
        assert_eq!(times.map(duration), ["0.3 ms", "4.2 ms", "12 ms", "49 ms", "0.1 s", "12.3 s"]);
    }
}
