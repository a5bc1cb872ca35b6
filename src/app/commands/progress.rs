//! The progress of a run on stderr. A terminal shows a bar, anything else a line per epoch.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wgrad::internals::train::trainer::{Measure, Progress};

use super::console::{note_shown, thousands};

/// The progress of a run. Without a terminal it has no bar.
pub struct Display {
    bar: Option<ProgressBar>,
    epochs: usize,
    started: Instant,
    samples: usize,
}

/// A template that fits into one line of the terminal. A longer one would wrap and leave lines behind.
fn template(columns: u16) -> &'static str {
    match columns {
        0..78 => "{prefix}  {eta} left  {wide_msg}",
        78..104 => "{prefix}  {wide_bar}  {msg}  {eta} left",
        _ => "{prefix}  {bar:24}  {msg}  {eta} left",
    }
}

/// Whether a line of stderr can be drawn anew. A terminal without control codes can't.
fn draws() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Display {
    pub fn new(epochs: usize, steps_per_epoch: usize) -> Display {
        let bar = draws().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some((epochs * steps_per_epoch) as u64),
                ProgressDrawTarget::stderr(),
            );
            let style = ProgressStyle::with_template(template(Term::stderr().size().1));
            bar.set_style(style.expect("a fixed template").progress_chars("█▉▊▋▌▍▎▏ "));
            bar
        });
        Display { bar, epochs, started: Instant::now(), samples: 0 }
    }

    /// Shows the progress after a submission.
    pub fn progress(&mut self, progress: &Progress) {
        self.samples += progress.latest.samples;
        if let Some(bar) = &self.bar {
            let so_far = progress.so_far;
            bar.set_prefix(format!("epoch {}/{}", progress.epoch, self.epochs));
            bar.set_message(format!(
                "loss {:.4}  accuracy {:.2} %  {} samples/s",
                so_far.loss,
                so_far.accuracy * 100.0,
                thousands(self.samples_per_second() as usize)
            ));
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
        line += &format!("  {:.1} s", took.as_secs_f64());
        self.line(&line);
    }

    /// Prints a line above the bar, whose settings are already shown as flags. After [`Display::finish`] there is none.
    pub fn line(&self, line: &str) {
        match self.bar.as_ref().filter(|bar| !bar.is_finished()) {
            Some(bar) => bar.suspend(|| note_shown(line)),
            None => note_shown(line),
        }
    }

    /// Training throughput since the start, measuring included.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.started.elapsed().as_secs_f64().max(1e-9)
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
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
