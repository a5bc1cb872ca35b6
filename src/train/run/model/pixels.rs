//! The meaning of a model's pixels, in its metadata.
//!
//! `background`, `margin` (the ground around a picture), `levels` (low, high, as JSON) and `grey` are those of a
//! [`Rendering`]. `channels` follows from the shape, by the names of Pillow's modes. The others are the same in all
//! models, and are there for other programs: `resampling` is the filter, `fit` says that a picture of another aspect
//! ratio gets a margin, and `scale` is the factor of a byte before mean and std.
//!
//! A model without `grey` is of a version that wrote only what differs from [`Rendering::FORMER`]; one with that grey is
//! still written so, to the bytes of that version.

use serde_json::Value;

use crate::data::{Background, Grey, LevelRange, Rendering};
use crate::program::shape::Shape;
use crate::text::shorten;
use crate::train::run::tensors::Tensors;

/// The keys that this file writes, in order.
pub(super) const KEYS: [&str; 8] =
    ["background", "margin", "levels", "grey", "channels", "resampling", "fit", "scale"];

/// Pillow's mode of images with that many channels.
fn mode(channels: usize) -> &'static str {
    match channels {
        1 => "L",
        2 => "LA",
        3 => "RGB",
        _ => "RGBA",
    }
}

/// The keys whose values follow from the shape, or are always the same.
fn fixed(shape: &Shape) -> [(&'static str, &'static str); 4] {
    [("channels", mode(shape.channels)), ("resampling", "triangle"), ("fit", "pad"), ("scale", "1/255")]
}

/// Adds the entries to the metadata of a model.
pub(super) fn write(rendering: &Rendering, shape: &Shape, metadata: &mut Value) {
    let Rendering { ground, margin, levels, grey } = *rendering;
    let former = Rendering::FORMER;
    let all = grey != former.grey;
    for (key, colour, usual) in [("background", ground, former.ground), ("margin", margin, former.margin)] {
        if all || colour != usual {
            metadata[key] = Background::Colour(colour).to_string().into();
        }
    }
    if all || levels != former.levels {
        metadata["levels"] = format!("[{},{}]", levels.low, levels.high).into();
    }
    if all {
        metadata["grey"] = grey.to_string().into();
        fixed(shape).into_iter().for_each(|(key, value)| metadata[key] = value.into());
    }
}

/// How pictures become bytes. Entries that are missing are those of earlier versions.
pub(super) fn read(metadata: &Tensors, shape: &Shape) -> Result<Rendering, String> {
    let (mut rendering, damaged) = (Rendering::FORMER, metadata.advice.damaged);
    for (key, colour) in [("background", &mut rendering.ground), ("margin", &mut rendering.margin)] {
        if !metadata.has(key) {
            continue;
        }
        match metadata.parse(key, "a colour")? {
            Background::Colour(found) => *colour = found,
            Background::Auto => {
                return Err(format!("has auto as {key} in its metadata, not a colour, {damaged}"));
            }
        }
    }
    if metadata.has("levels") {
        let [low, high] = metadata.json("levels")?;
        if low >= high {
            return Err(format!(
                "has the levels {low} to {high} in its metadata, which are no range, {damaged}"
            ));
        }
        rendering.levels = LevelRange { low, high };
    }
    if metadata.has("grey") {
        rendering.grey = metadata.parse::<Grey>("grey", "rec601 or rec709")?;
    }
    for (key, value) in fixed(shape).into_iter().filter(|(key, _)| metadata.has(key)) {
        let found = metadata.text(key)?;
        if found != value {
            return Err(format!(
                "has “{}” as {key} in its metadata, but this wgrad reads pictures with “{value}” alone, {damaged}",
                shorten(found)
            ));
        }
    }
    Ok(rendering)
}
