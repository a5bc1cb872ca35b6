//! IDX files, the format of MNIST, plain or compressed with gzip.
//!
//! A file is two zero bytes, an element type, the number of dimensions, each dimension as a big-endian u32, and the
//! elements, last dimension fastest. Nothing in a file is trusted: memory is taken for the bytes that it really holds,
//! at most about twice as much, whatever its header claims.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::dataset::separate_channels;
use super::limits::{MAX_CLASSES, TOO_LARGE, check_shape};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{reason, shown};

const FIX: &str = "so copy or download it again";

/// A 3-D (N, H, W) or 4-D (N, H, W, C) file of images, of which only the header has been read.
pub(super) struct Images<'a> {
    file: IdxFile<'a>,
    count: usize,
    /// The size of an image.
    pub shape: Shape,
}

impl<'a> Images<'a> {
    /// Opens a file and checks what it promises.
    pub fn open(path: &'a Path) -> Result<Images<'a>> {
        let file = IdxFile::open(path, "images")?;
        let (count, [height, width, channels]) = match file.dimensions[..] {
            [count, height, width] => (count, [height, width, 1]),
            [count, height, width, channels] => (count, [height, width, channels]),
            ref other => return Err(file.wrong_dimensions("images of 3 or 4 dimensions", other)),
        };
        if file.element != ElementType::U8 {
            return Err(file.error(format_args!(
                "holds {}, but pixels must be unsigned bytes, so convert it",
                file.element
            )));
        }
        if count == 0 {
            return Err(file.error(format_args!(
                "holds no images, but each part of a data set needs at least one, so add one"
            )));
        }
        let shape = Shape::image(channels, height, width);
        check_shape(&shape, shown(path))?;
        Ok(Images { file, count, shape })
    }

    /// The number of samples, which is true of a whole file.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The most bytes that the samples and their labels take.
    pub fn bytes(&self) -> u64 {
        let promised = (self.count as u64).saturating_mul(self.shape.len() as u64);
        // A header that promises more than the file can hold is found out where the file ends.
        let pixels = promised.min(self.file.most);
        pixels + size_of::<u32>() as u64 * (pixels / self.shape.len() as u64)
    }

    /// Reads N × C·H·W pixels, channels first.
    pub fn read(mut self) -> Result<Vec<u8>> {
        let Images { count, shape, .. } = self;
        let length = count.checked_mul(shape.len());
        let mut pixels = self.file.elements(length, format_args!("{count} images of {shape}"))?;
        if shape.channels > 1 {
            let mut interleaved = vec![0; shape.len()];
            for image in pixels.chunks_exact_mut(shape.len()) {
                interleaved.copy_from_slice(image);
                separate_channels(&shape, &interleaved, image);
            }
        }
        Ok(pixels)
    }
}

/// Reads the labels of a 1-D file of unsigned bytes or signed 16- or 32-bit integers.
///
/// There must be `count` labels, one for each image in the file `images`. The number is checked first, which bounds how
/// much is read.
pub(super) fn read_labels(path: &Path, count: usize, images: &Path) -> Result<Vec<u32>> {
    let mut file = IdxFile::open(path, "labels")?;
    let promised = match file.dimensions[..] {
        [promised] => promised,
        ref other => return Err(file.wrong_dimensions("labels of 1 dimension", other)),
    };
    let size = match file.element {
        ElementType::U8 => 1,
        ElementType::I16 => 2,
        ElementType::I32 => 4,
        ElementType::Other(_) => {
            return Err(file.error(format_args!(
                "holds {}, but labels must be unsigned bytes or 16- or 32-bit integers, \
                 so convert it",
                file.element
            )));
        }
    };
    if promised != count {
        return Err(file.error(format_args!(
            "holds {promised} labels for the {count} images of {}, so take both files from one set",
            shown(images)
        )));
    }
    let bytes = file.elements(count.checked_mul(size), format_args!("{count} labels"))?;
    let mut labels = Vec::new();
    labels.try_reserve_exact(count).map_err(|_| unreadable(path, &ErrorKind::OutOfMemory.into()))?;
    for (index, bytes) in bytes.chunks_exact(size).enumerate() {
        // The first byte carries the sign of the wider types.
        let first = if size == 1 { i32::from(bytes[0]) } else { i32::from(bytes[0] as i8) };
        let label = bytes[1..].iter().fold(first, |label, byte| label << 8 | i32::from(*byte));
        match u32::try_from(label) {
            Ok(label) if (label as usize) < MAX_CLASSES => labels.push(label),
            _ => {
                return Err(file.error(format_args!(
                    "has the label {label} at index {index}, but labels run from 0 to {}, \
                     so renumber the classes",
                    MAX_CLASSES - 1
                )));
            }
        }
    }
    Ok(labels)
}

#[derive(Clone, Copy, PartialEq)]
enum ElementType {
    U8,
    I16,
    I32,
    Other(u8),
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::U8 => "unsigned bytes",
            ElementType::I16 => "16-bit integers",
            ElementType::I32 => "32-bit integers",
            ElementType::Other(0x09) => "signed bytes",
            ElementType::Other(0x0d) => "32-bit floats",
            ElementType::Other(0x0e) => "64-bit floats",
            ElementType::Other(code) => return write!(f, "elements of the unknown type {code:#04x}"),
        })
    }
}

/// An open file whose header has been read.
struct IdxFile<'a> {
    path: &'a Path,
    source: Box<dyn Read + Send>,
    /// The most bytes that it can hold.
    most: u64,
    element: ElementType,
    dimensions: Vec<usize>,
}

impl<'a> IdxFile<'a> {
    /// Opens a file and reads its header.
    ///
    /// An error says that `expected` was expected.
    fn open(path: &'a Path, expected: &str) -> Result<Self> {
        let (mut source, most) = open(path).map_err(|error| unreadable(path, &error))?;
        let mut header = |bytes: &mut [u8]| {
            source.read_exact(bytes).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => bad(path, format_args!("ends within its header, {FIX}")),
                _ => unreadable(path, &error),
            })
        };
        let mut magic = [0; 4];
        header(&mut magic)?;
        let [0, 0, element, dimensions] = magic else {
            return Err(bad(
                path,
                format_args!("begins with the bytes {magic:02x?}, not like an IDX file of {expected}, {FIX}"),
            ));
        };
        let element = match element {
            0x08 => ElementType::U8,
            0x0b => ElementType::I16,
            0x0c => ElementType::I32,
            other => ElementType::Other(other),
        };
        let mut sizes = vec![0; usize::from(dimensions)];
        for size in &mut sizes {
            let mut bytes = [0; 4];
            header(&mut bytes)?;
            *size = u32::from_be_bytes(bytes) as usize;
        }
        Ok(IdxFile { path, source, most, element, dimensions: sizes })
    }

    /// Reads `length` bytes of elements, after which the file must end.
    ///
    /// A length of none is more than this machine can address.
    fn elements(&mut self, length: Option<usize>, content: fmt::Arguments<'_>) -> Result<Vec<u8>> {
        let length = length.ok_or_else(|| {
            self.error(format_args!("promises {content}, which is more than this machine can address, {FIX}"))
        })?;
        let mut bytes = Vec::new();
        match read_up_to(&mut self.source, length, &mut bytes) {
            Ok(()) if bytes.len() == length => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                return Err(unreadable(self.path, &error));
            }
            _ => {
                return Err(self.error(format_args!(
                    "ends after {} of the {length} bytes of the {content} that it promises, {FIX}",
                    bytes.len()
                )));
            }
        }
        // gzip checks its checksum at the end of the file.
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(self.error(format_args!(
                "goes on after the {length} bytes of the {content} that it promises, {FIX}"
            ))),
            Err(error) => Err(unreadable(self.path, &error)),
        }
    }

    fn wrong_dimensions(&self, expected: &str, dimensions: &[usize]) -> Error {
        let fix = match dimensions.len() {
            1 | 3 | 4 => "so see whether the files of images and labels are swapped",
            _ => "so convert it",
        };
        self.error(format_args!("is {}-dimensional, but {expected} were expected, {fix}", dimensions.len()))
    }

    fn error(&self, problem: fmt::Arguments<'_>) -> Error {
        bad(self.path, problem)
    }
}

/// Opens a file, through gzip if its content is compressed. Also returns the most bytes that it can hold.
///
/// The name doesn't tell: browsers unpack files and leave it.
fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, u64)> {
    // gzip's 32 kB window lets a bit or two stand for at most 258 bytes.
    const MOST_UNPACKED: u64 = 1032;
    // Opening a pipe would wait for its other end.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Ok((Box::new(MultiGzDecoder::new(file)), found.len().saturating_mul(MOST_UNPACKED)))
    } else {
        Ok((Box::new(file), found.len()))
    }
}

/// Appends `length` bytes to `bytes`, or as many as there are.
///
/// Memory grows with the bytes read so far, so that a false length in a header costs none.
fn read_up_to(source: &mut impl Read, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    while bytes.len() < length {
        let step = (length - bytes.len()).min(bytes.len().max(1 << 16));
        bytes.try_reserve_exact(step)?;
        if source.by_ref().take(step as u64).read_to_end(bytes)? < step {
            break;
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::NotFound(format!("{} leads nowhere, so add the file", shown(path))),
        ErrorKind::UnexpectedEof => bad(path, format_args!("ends within its gzip data, {FIX}")),
        ErrorKind::OutOfMemory => bad(path, format_args!("{TOO_LARGE}")),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            bad(path, format_args!("is damaged gzip data ({}), {FIX}", reason(error)))
        }
        _ => bad(
            path,
            format_args!("can't be read ({}), so check the file and its permissions", reason(error)),
        ),
    }
}

fn bad(path: &Path, problem: fmt::Arguments<'_>) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}
