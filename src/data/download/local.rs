//! Files of a download on this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::data::files::hex;

/// The progress of a file.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// Bytes that are here.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub total: u64,
}

/// The SHA-256 digest of a file.
pub(super) fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}
