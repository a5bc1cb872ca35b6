//! The metrics of a run as TensorBoard reads them: `tensorboard --logdir runs`.
//!
//! An event file is a row of TFRecords (`tensorflow/core/lib/io/record_writer.h`): the length of a
//! message as u64, its checksum as u32, the message, and its checksum, all little-endian; a checksum
//! is CRC-32C, masked so that a checksum over checksums stays useful. A message is a
//! protobuf `Event` (`tensorflow/core/util/event.proto`): wall time, step, and a summary of named
//! values.

use std::time::{SystemTime, UNIX_EPOCH};

use super::appended::Appended;
use super::events::Event;
use crate::data::held::HeldFolder;
use crate::error::Result;

/// The event file in a run directory. TensorBoard looks for `tfevents` in the name.
pub const EVENTS: &str = "events.out.tfevents.wgrad";

/// The first message, by which readers know the format.
const VERSION: &str = "brain.Event:2";

/// Bytes around a message. In front are its length and a checksum, behind it a checksum.
const FRONT: usize = 12;
const BEHIND: usize = 4;

/// An event file, open to be appended to.
#[derive(Debug)]
pub(super) struct Board {
    pub file: Appended,
}

impl Board {
    /// The event file of a run, made if there is none.
    pub fn open(folder: &HeldFolder) -> Result<Board> {
        Ok(Board { file: Appended::open(folder, EVENTS)? })
    }

    /// Whether a run has an event file.
    pub fn exists(folder: &HeldFolder) -> bool {
        // Anything else in its place is an error when it is opened.
        folder.check(EVENTS).unwrap_or(true)
    }

    /// Appends the numbers of an event, each under its step.
    pub fn append(&self, event: &Event) -> Result<()> {
        self.append_all(std::slice::from_ref(event))
    }

    fn append_all(&self, events: &[Event]) -> Result<()> {
        let mut bytes = if self.file.is_empty() { record(&version()) } else { Vec::new() };
        for event in events {
            for Scalars { step, values } in scalars(event) {
                bytes.extend(record(&message(step, &values)));
            }
        }
        self.file.append(&bytes)
    }

    /// Waits until what was appended is on the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync()
    }

    /// Cuts the file back to a step. `events` are those up to there.
    ///
    /// A file that lacks some of their steps is written again from them: it was begun later or is damaged.
    pub fn rewind(&self, folder: &HeldFolder, steps: usize, events: &[Event]) -> Result<()> {
        let bytes = self.file.read()?;
        let (mut end, mut last) = (0, None);
        while let Some((message, length)) = first(&bytes[end..]) {
            let Some(step) = step(message).filter(|step| *step <= steps as u64) else { break };
            (end, last) = (end + length, Some(step));
        }
        if last == Some(steps as u64) {
            return self.file.cut(folder, end as u64);
        }
        self.file.cut(folder, 0)?;
        self.append_all(events)
    }
}

/// Numbers of one step, by their names.
struct Scalars {
    step: u64,
    values: Vec<(&'static str, f64)>,
}

/// The measures of an event, by steps.
fn scalars(event: &Event) -> Vec<Scalars> {
    match event {
        Event::Steps(steps) => {
            let count = steps.losses.len();
            let first = (steps.step + 1).saturating_sub(count as u64);
            let of = |at: usize| {
                let mut values = vec![("loss/train", steps.losses[at])];
                let rate = steps.learning_rates.get(at).map(|rate| ("learning_rate", f64::from(*rate)));
                let norm = steps.gradient_norms.get(at).map(|norm| ("gradient_norm", f64::from(*norm)));
                values.extend(rate.into_iter().chain(norm));
                if at + 1 == count {
                    values.push(("accuracy/train", steps.train_accuracy));
                }
                Scalars { step: first + at as u64, values }
            };
            (0..count).map(of).collect()
        }
        Event::Epoch(epoch) => {
            let mut values = vec![
                ("loss/epoch", epoch.train_loss),
                ("accuracy/epoch", epoch.train_accuracy),
                ("loss/held-out", epoch.held_out_loss),
                ("accuracy/held-out", epoch.held_out_accuracy),
            ];
            if let Some(validation) = &epoch.validation {
                values.push(("loss/validation", validation.validation_loss));
                values.push(("accuracy/validation", validation.validation_accuracy));
            }
            vec![Scalars { step: epoch.step, values }]
        }
    }
}

/// A message between its checksums.
fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut bytes = length.to_vec();
    bytes.extend(checksum(&length).to_le_bytes());
    bytes.extend(message);
    bytes.extend(checksum(message).to_le_bytes());
    bytes
}

/// The first message of some records and its record's length, if whole.
fn first(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (front, rest) = bytes.split_at_checked(FRONT)?;
    let (length, sum) = front.split_at(8);
    let matches = |bytes: &[u8], sum: &[u8]| checksum(bytes).to_le_bytes() == sum;
    let size = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (message, rest) = rest.split_at_checked(size).filter(|_| matches(length, sum))?;
    rest.get(..BEHIND).filter(|sum| matches(message, sum)).map(|_| (message, FRONT + size + BEHIND))
}

/// CRC-32C of some bytes, masked as record_writer.h has it.
fn checksum(bytes: &[u8]) -> u32 {
    let crc = !bytes.iter().fold(!0, |crc, byte| CRC[(crc as u8 ^ byte) as usize] ^ (crc >> 8));
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The remainders of all bytes by Castagnoli's polynomial, its bits reversed. See RFC 3720, 12.1.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ (if crc & 1 == 1 { 0x82f6_3b78 } else { 0 });
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

/// Numbers of fields in `Event`, `Summary` and `Summary.Value`.
mod field {
    pub const WALL_TIME: u64 = 1;
    pub const STEP: u64 = 2;
    pub const FILE_VERSION: u64 = 3;
    pub const SUMMARY: u64 = 5;
    pub const VALUE: u64 = 1;
    pub const TAG: u64 = 1;
    pub const SIMPLE_VALUE: u64 = 2;
}

/// Protobuf's wire types.
mod wire {
    pub const VARINT: u64 = 0;
    pub const FIXED64: u64 = 1;
    pub const BYTES: u64 = 2;
    pub const FIXED32: u64 = 5;
}

/// An event with the version of the format.
fn version() -> Vec<u8> {
    let mut message = wall_time();
    bytes(&mut message, field::FILE_VERSION, VERSION.as_bytes());
    message
}

/// An event with some values. Its step is the second field, where [`step`] finds it.
fn message(step: u64, values: &[(&str, f64)]) -> Vec<u8> {
    let mut message = wall_time();
    key(&mut message, field::STEP, wire::VARINT);
    varint(&mut message, step);
    let mut summary = Vec::new();
    for (tag, number) in values {
        let mut value = Vec::new();
        bytes(&mut value, field::TAG, tag.as_bytes());
        key(&mut value, field::SIMPLE_VALUE, wire::FIXED32);
        value.extend((*number as f32).to_le_bytes());
        bytes(&mut summary, field::VALUE, &value);
    }
    bytes(&mut message, field::SUMMARY, &summary);
    message
}

/// The first field of an event: seconds since 1970.
fn wall_time() -> Vec<u8> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let mut message = Vec::new();
    key(&mut message, field::WALL_TIME, wire::FIXED64);
    message.extend(seconds.to_le_bytes());
    message
}

/// The step of an event of this program; 0 for the first.
fn step(message: &[u8]) -> Option<u64> {
    const KEY: u8 = (field::STEP << 3 | wire::VARINT) as u8;
    // Behind the key and the eight bytes of the wall time.
    let (key, rest) = message.get(9..)?.split_first()?;
    if *key != KEY {
        return Some(0);
    }
    let mut step = 0u64;
    for (at, byte) in rest.iter().take(10).enumerate() {
        step |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return Some(step);
        }
    }
    None
}

fn key(to: &mut Vec<u8>, field: u64, wire: u64) {
    varint(to, field << 3 | wire);
}

fn bytes(to: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(to, field, wire::BYTES);
    varint(to, bytes.len() as u64);
    to.extend(bytes);
}

/// Writes seven bits a byte, the lowest first. The eighth bit says that more follow.
fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        let unmasked = |bytes: &[u8]| checksum(bytes).wrapping_sub(0xa282_ead8).rotate_left(15);
        // Its appendix B.4, whose bytes stand in the order in which they are sent.
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, sent) in [
            (vec![0; 32], [0xaa, 0x36, 0x91, 0x8a]),
            (vec![0xff; 32], [0x43, 0xab, 0xa8, 0x62]),
            (ascending, [0x4e, 0x79, 0xdd, 0x46]),
        ] {
            assert_eq!(unmasked(&bytes), u32::from_le_bytes(sent));
        }
    }

    #[test]
    fn steps_of_any_size_are_found_again_and_damage_is_noticed() {
        for expected in [0, 1, 127, 128, 300, 1 << 40, u64::MAX] {
            let bytes = record(&message(expected, &[("loss/train", 0.5)]));
            let (message, length) = first(&bytes).unwrap();
            assert_eq!((step(message), length), (Some(expected), bytes.len()));
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x10;
                assert!(first(&damaged).is_none(), "byte {at}");
                assert!(first(&bytes[..at]).is_none(), "cut at {at}");
            }
        }
        assert_eq!(step(&version()), Some(0));
    }
}
