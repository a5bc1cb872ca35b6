//! Why the operating system refused something, in words.

use std::fmt;
use std::io::{self, ErrorKind};

/// The reason of an error, to stand in brackets behind what failed; without the number that systems give it.
pub fn reason(error: &io::Error) -> Reason<'_> {
    Reason(error)
}

/// An error of the system in words, see [`reason`].
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a>(&'a io::Error);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Reason(error) = self;
        let known = match error.kind() {
            ErrorKind::NotFound => "no such file or folder",
            ErrorKind::PermissionDenied => "permission denied",
            ErrorKind::NotADirectory => "a part of the path is no folder",
            ErrorKind::IsADirectory => "it is a folder",
            ErrorKind::StorageFull => "no room is left",
            ErrorKind::ReadOnlyFilesystem => "it can only be read from",
            _ => "",
        };
        match error.raw_os_error() {
            Some(_) if !known.is_empty() => f.write_str(known),
            Some(_) => {
                let text = error.to_string();
                f.write_str(&super::joined(text.split(" (os error").next().unwrap_or_default()))
            }
            None => f.write_str(&super::joined(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_number_of_the_system() {
        let missing = std::fs::File::open("no/such/file").unwrap_err();
        assert_eq!(reason(&missing).to_string(), "no such file or folder");
        // EMFILE has no kind of its own.
        let many = reason(&io::Error::from_raw_os_error(24)).to_string();
        assert!(!many.is_empty() && !many.contains("os error"), "{many}");
        assert_eq!(reason(&io::Error::other("it is odd")).to_string(), "it is odd");
    }
}
