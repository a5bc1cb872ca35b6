//! Why the operating system refused something, in words.

use std::io::{self, ErrorKind};

/// The reason of an error, to stand in brackets behind what failed; without the number that systems give it.
pub fn reason(error: &io::Error) -> String {
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
        Some(_) if !known.is_empty() => known.to_owned(),
        Some(_) => {
            let text = error.to_string();
            super::joined(text.split(" (os error").next().unwrap_or_default())
        }
        None => super::joined(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_number_of_the_system() {
        let missing = std::fs::File::open("no/such/file").unwrap_err();
        assert_eq!(reason(&missing), "no such file or folder");
        // EMFILE has no kind of its own.
        let many = reason(&io::Error::from_raw_os_error(24));
        assert!(!many.is_empty() && !many.contains("os error"), "{many}");
        assert_eq!(reason(&io::Error::other("it is odd")), "it is odd");
    }
}
