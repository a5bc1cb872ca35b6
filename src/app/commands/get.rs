//! `wgrad data get`: downloads of data sets.

use wgrad::internals::data::{KNOWN, Known, known, user_folder};
use wgrad::internals::error::suggestion;
use wgrad::internals::text::shorten;
use wgrad::{Error, Result};

use crate::app::cli::data::GetArgs;

pub fn run(arguments: &GetArgs) -> Result<()> {
    let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
    let known = match (known(&arguments.name), arguments.name.as_str()) {
        (Some(known), _) => known,
        (None, "digits") => {
            return Err(Error::Usage("digits is built in, so there is nothing to download".to_owned()));
        }
        (None, other) => {
            return Err(Error::Usage(format!(
                "“{}” is no data set to download: name {}{}",
                shorten(other),
                names.join(", "),
                suggestion(other, &names)
            )));
        }
    };
    let folder = user_folder().ok_or_else(|| {
        Error::Failure("there is no home directory for data, so set XDG_DATA_HOME to a folder".to_owned())
    })?;
    get(known, arguments.from.as_deref(), &folder)
}

#[cfg(not(feature = "download"))]
fn get(known: &Known, _from: Option<&str>, folder: &std::path::Path) -> Result<()> {
    use wgrad::internals::text::shown;
    Err(Error::Failure(format!(
        "this wgrad was built without the feature “download”, so build it with that, or put the files from {} into {}",
        known.base,
        shown(folder.join(known.name))
    )))
}

#[cfg(feature = "download")]
fn get(known: &Known, from: Option<&str>, folder: &std::path::Path) -> Result<()> {
    use super::console::{answer, note};
    use super::progress::Bytes;
    use wgrad::internals::data::download;
    use wgrad::internals::text::shown;

    note(format_args!("{}: {}, from {}", known.name, known.title, shorten(from.unwrap_or(known.base))));
    let mut bytes = Bytes::new();
    let got = download(known, from, folder, &mut |received| {
        bytes.received(received.file, received.bytes, received.total);
    });
    bytes.finish();
    let got = got?;
    if let Some(aside) = got.set_aside {
        note(format_args!(
            "{} was there already, but not the whole set, so what was there is now {}",
            shown(&got.folder),
            shown(aside)
        ));
    }
    let how = if got.was_there { "was here already, and is whole" } else { "is here, verified" };
    answer(format_args!("{} {how}: {}", known.name, shown(got.folder)))
}
