//! Reasons why a file of tensors was not read.

use std::fmt;
use std::io::{self, ErrorKind};

use crate::data::files::unread_remedy;
use crate::text::reason;

/// Why a file was not read: the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    problem: String,
    /// Whether the system could not read it, so that nothing is known of its content.
    pub is_unreadable: bool,
}

impl Fault {
    /// Says that the system could not read the file. `damaged` is the advice about one that is damaged.
    pub fn unreadable(error: &io::Error, damaged: &str) -> Fault {
        // A file that ends early or is none tells enough about itself.
        let is_unreadable =
            !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::Other);
        let remedy = if is_unreadable { unread_remedy(error) } else { damaged };
        Fault { problem: format!("can't be read ({}), {remedy}", reason(error)), is_unreadable }
    }

    /// Says that the memory is too small for the file.
    pub fn too_large(bytes: usize) -> Fault {
        let problem = format!("needs {bytes} bytes of memory, more than there are, so close other programs");
        Fault { problem, is_unreadable: true }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

/// A fault of the content.
impl From<String> for Fault {
    fn from(problem: String) -> Fault {
        Fault { problem, is_unreadable: false }
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> String {
        fault.problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_can_not_read_is_told_from_what_is_damaged() {
        let fault = |kind: ErrorKind| Fault::unreadable(&kind.into(), "so take another copy of it");
        for kind in [ErrorKind::PermissionDenied, ErrorKind::OutOfMemory, ErrorKind::TimedOut] {
            assert!(
                fault(kind).is_unreadable && fault(kind).to_string().ends_with("permissions and the disk")
            );
        }
        for kind in [ErrorKind::NotFound, ErrorKind::UnexpectedEof, ErrorKind::Other] {
            assert!(!fault(kind).is_unreadable && fault(kind).to_string().ends_with("another copy of it"));
        }
        if cfg!(unix) {
            // EIO and EMFILE.
            for (number, words) in [(5, "the disk"), (24, "ulimit -n")] {
                let fault = Fault::unreadable(&io::Error::from_raw_os_error(number), "");
                assert!(fault.is_unreadable && fault.to_string().contains(words), "{fault}");
            }
        }
        assert!(Fault::too_large(8).is_unreadable && !Fault::from(String::new()).is_unreadable);
    }
}
