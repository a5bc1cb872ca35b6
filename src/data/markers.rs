//! Facts from the chunks of PNG files and the markers of JPEG files, which the decoders don't tell.

/// Chunks of a PNG file whose checksums the decoder compares, and those that change nothing of what is read.
const OTHERS: [&[u8; 4]; 20] = [
    b"IHDR", b"PLTE", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"hIST",
    b"sPLT", b"pHYs", b"tIME", b"tEXt", b"zTXt", b"iTXt", b"acTL", b"fcTL", b"fdAT",
];

/// A chunk of a PNG file that is damaged and would be left out silently, such as its transparency.
pub(super) fn damaged_chunk(bytes: &[u8]) -> Option<&[u8]> {
    let matters = |kind: &[u8]| OTHERS.iter().all(|other| *other != kind);
    // Anything may stand behind the end.
    let chunks = chunks(bytes).take_while(|(chunk, _)| !chunk.starts_with(b"IEND"));
    let found = chunks.filter(|(chunk, _)| matters(&chunk[..4])).find(|(chunk, sum)| {
        let mut crc = flate2::Crc::new();
        crc.update(chunk);
        crc.sum().to_be_bytes() != *sum
    });
    found.map(|(chunk, _)| &chunk[..4])
}

/// The chunks of a PNG file, each with its kind in front, and their checksums, up to where the file is cut short.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (chunk, behind) = behind.split_at_checked(4 + u32::from_be_bytes(*length) as usize)?;
        let (sum, behind) = behind.split_at_checked(4)?;
        rest = behind;
        Some((chunk, sum))
    })
}

/// Whether a file is an animated PNG: its chunk `acTL` comes before the image data.
pub(super) fn is_animated(bytes: &[u8]) -> bool {
    let mut before = chunks(bytes).take_while(|(chunk, _)| !chunk.starts_with(b"IDAT"));
    bytes.starts_with(b"\x89PNG") && before.any(|(chunk, _)| chunk.starts_with(b"acTL"))
}

/// Facts from the markers of a JPEG file.
pub(super) struct Jpeg {
    pub progressive: bool,
}

impl Jpeg {
    /// Reads the markers up to the end marker.
    ///
    /// None if the file is cut short.
    ///
    /// It goes from segment to segment, because a preview within one has an end marker of its own.
    pub fn of(bytes: &[u8]) -> Option<Jpeg> {
        let mut jpeg = Jpeg { progressive: false };
        let mut at = 2;
        loop {
            match *bytes.get(at..at + 2)? {
                [0xff, 0xd9] => return Some(jpeg),
                // Compressed data (its 0xff bytes are followed by 0), restart markers and fill bytes.
                [0xff, 0x00 | 0x01 | 0xd0..=0xd8] => at += 2,
                [0xff, 0xff] | [0..=0xfe, _] => at += 1,
                // A segment with its length, which includes the two bytes of the length.
                _ => {
                    jpeg.progressive |= bytes[at + 1] == 0xc2;
                    let length = bytes.get(at + 2..at + 4)?;
                    at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
                }
            }
        }
    }
}
