//! Parsing and validating a custom shader, with the position of a fault in its file.

use std::error::Error;
use std::ops::Range;

use wgpu::naga::front::wgsl::{self, EnableExtension, ImplementedEnableExtension};
use wgpu::naga::valid::{
    Capabilities, ModuleInfo, TypeError, ValidationError, ValidationFlags, Validator, WidthError,
};
use wgpu::naga::{Module, Span};

use crate::kernel::{COMMON, Consts, Kernel, enabled, in_directive, specialize, words};
use crate::table::MATMUL_COOPERATIVE;
use crate::text::{masked, unmarked};

/// A fault of a shader, and its position in the file where it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub message: String,
    pub at: Option<TextPosition>,
}

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPosition {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Fault {
    /// A fault of the file as a whole.
    pub fn whole(message: String) -> Fault {
        Fault { message, at: None }
    }

    /// `file:line:column: message`, and below it the line with a caret.
    ///
    /// All that reaches a terminal of a shader goes through here. Characters that a terminal obeys or hides become `�`, one
    /// for one, so that the caret stays below its column.
    pub fn report(&self, file: &str, text: &str) -> String {
        let message = masked(&self.message);
        let message = match message.char_indices().nth(MESSAGE) {
            Some((cut, _)) => format!("{}…", &message[..cut]),
            None => message,
        };
        let message = unmarked(&message);
        let Some(TextPosition { line, column }) = self.at else { return format!("{file}: {message}") };
        let (source, column_shown) = window(text.lines().nth(line - 1).unwrap_or_default(), column);
        // A tab in the line is a tab under it too, so that the caret is below its column.
        let indent: String =
            source.chars().take(column_shown - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let source = unmarked(&masked(&source));
        let gutter = " ".repeat(line.to_string().len());
        format!("{file}:{line}:{column}: {message}\n {line} | {source}\n {gutter} | {indent}^")
    }
}

/// The most characters of a message that are shown; it may have a name of the shader in it.
const MESSAGE: usize = 1_000;

/// The most characters of a line that are shown.
const SHOWN: usize = 120;

/// A line, or the part of a long one around a column, and the column in that text.
fn window(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= SHOWN {
        return (line.to_owned(), column);
    }
    let start = (column - 1).saturating_sub(SHOWN / 2).min(length - SHOWN);
    let part: String = line.chars().skip(start).take(SHOWN).collect();
    let [before, behind] = [start > 0, start + SHOWN < length].map(|cut| if cut { "…" } else { "" });
    (format!("{before}{part}{behind}"), column - start + before.chars().count())
}

/// The number of lines in front of the file's in the compiled text.
pub fn offset() -> usize {
    // `specialize` adds one line break.
    COMMON.matches('\n').count() + 1
}

/// Parses and validates a custom shader with these constants.
pub fn compile(text: &str, ours: &Kernel, consts: &Consts) -> Result<(Module, ModuleInfo), Fault> {
    let whole = specialize(text, consts).map_err(|name| undeclared(name, ours))?;
    let denied = |(at, name)| Some((at, refusal(extension(name)?, ours)?));
    if let Some((at, message)) = enabled(text).into_iter().find_map(denied) {
        return Err(Fault { message, at: Some(position_in(text, at)) });
    }
    let module = wgsl::parse_str(&whole).map_err(|error| {
        let spans = error.labels().map(|(span, _)| span);
        let notes = error.notes().map(|note| format!(" ({})", advice(note, ours))).collect::<String>();
        Fault { message: format!("{}{notes}", error.message()), at: locate(text, &whole, spans) }
    })?;
    match Validator::new(ValidationFlags::all(), capabilities(ours)).validate(&module) {
        Ok(info) => Ok((module, info)),
        Err(error) => {
            // The last span is the innermost: the expression, not the function around it.
            let spans: Vec<Span> = error.spans().map(|(span, _)| *span).collect();
            let at = locate(text, &whole, spans.into_iter()).or_else(|| {
                let absent = absent(error.as_inner())?;
                let (at, _) = words(text).find(|(_, word)| *word == absent)?;
                Some(position_in(text, at))
            });
            Err(Fault { message: chain(error.as_inner()), at })
        }
    }
}

/// The capabilities of a shader of this contract: those of every device that runs one.
fn capabilities(ours: &Kernel) -> Capabilities {
    // f16 packed into words belong to WebGPU's core.
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    if ours.subgroup.is_some() {
        capabilities |= Capabilities::SUBGROUP;
    }
    if ours.is_cooperative() {
        capabilities |=
            Capabilities::COOPERATIVE_MATRIX | Capabilities::SHADER_FLOAT16 | Capabilities::SUBGROUP;
    }
    capabilities
}

/// The extension of this name, if it can be parsed.
///
/// The parser reports others.
fn extension(name: &str) -> Option<ImplementedEnableExtension> {
    let mut all = ImplementedEnableExtension::VARIANTS.iter().copied();
    all.find(|extension| EnableExtension::from(*extension).to_ident() == name)
}

/// Why a shader of this contract can't enable an extension, if it can't.
///
/// It would be parsed, but no device is opened with the extension.
fn refusal(extension: ImplementedEnableExtension, ours: &Kernel) -> Option<String> {
    let needed = extension.capability();
    if capabilities(ours).contains(needed) {
        return None;
    }
    let by_tiles = capabilities(&MATMUL_COOPERATIVE).contains(needed);
    let who = if by_tiles { "only a matmul_cooperative" } else { "no kernel" };
    let name = EnableExtension::from(extension).to_ident();
    Some(format!(
        "{who} may enable {name}: the device for {} is opened without it, so leave it out",
        ours.name
    ))
}

/// The parser's advice, unless it is to enable an extension that is refused.
fn advice(note: &str, ours: &Kernel) -> String {
    let mut extensions = ImplementedEnableExtension::VARIANTS.iter().copied();
    let meant = extensions.find(|extension| {
        note.contains(&format!("`enable {};`", EnableExtension::from(*extension).to_ident()))
    });
    meant.and_then(|extension| refusal(extension, ours)).unwrap_or_else(|| note.to_owned())
}

/// The name of a type that no device has.
///
/// The validator reports no position for it.
fn absent(error: &ValidationError) -> Option<&'static str> {
    let ValidationError::Type { source: TypeError::WidthError(error), .. } = error else { return None };
    if let WidthError::MissingCapability { name, .. } = error { Some(name) } else { None }
}

/// An error and its causes, from the outermost to the first.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

fn undeclared(name: &str, ours: &Kernel) -> Fault {
    let like = ours.wgsl.lines().find(|line| line.starts_with(&format!("const {name}: ")));
    let like = like.and_then(|line| line.split_once(';')).map_or("", |(declaration, _)| declaration);
    Fault::whole(format!(
        "expected a line “{like};” whose value every dispatch writes anew, got no line that begins “const {name}: ”"
    ))
}

/// The position of a byte of a text.
fn position_in(text: &str, at: usize) -> TextPosition {
    let before = text.get(..at).unwrap_or_default();
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    TextPosition { line: before.matches('\n').count() + 1, column }
}

/// The first of these spans that is in the custom text, as a position there.
fn locate(text: &str, whole: &str, spans: impl Iterator<Item = Span>) -> Option<TextPosition> {
    spans.filter_map(Span::to_range).find_map(|Range { start, .. }| {
        if let Some(at) = in_directive(text, start) {
            return Some(position_in(text, at));
        }
        let TextPosition { line, column } = position_in(whole, start);
        // A position in common.wgsl is not in the file.
        Some(TextPosition { line: line.checked_sub(offset()).filter(|line| *line > 0)?, column })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::SGD;

    fn at(line: usize, column: usize) -> Option<TextPosition> {
        Some(TextPosition { line, column })
    }

    #[test]
    fn every_line_is_found_behind_the_common_part() {
        for line in [1, 2, 40] {
            let text = format!("{}  ! wrong", "\n".repeat(line - 1));
            let fault = compile(&text, &SGD, &Consts::default()).unwrap_err();
            assert_eq!(fault.at, at(line, 3), "{fault:?}");
        }
    }

    #[test]
    fn a_wrong_directive_is_found_where_it_is_in_the_file() {
        for (text, (line, column), word) in [
            ("// f\n\n  enable subgroups; // why not\nfn", (3, 10), "subgroups"),
            ("enable f16; // why\nenable nonsense;", (2, 8), "nonsense"),
        ] {
            let fault = compile(text, &MATMUL_COOPERATIVE, &Consts::default()).unwrap_err();
            assert_eq!(fault.at, at(line, column), "{fault:?}");
            assert!(fault.message.contains(word), "{fault:?}");
        }
        // Behind a declaration it is no directive.
        let fault = compile("const A = 1;\nenable f16;", &SGD, &Consts::default()).unwrap_err();
        assert_eq!(fault.at.map(|at| at.line), Some(2), "{fault:?}");
    }

    #[test]
    fn extensions_without_a_device_are_refused_where_they_are_enabled() {
        let faulty = |name: &str, ours: &Kernel| {
            let text = format!("// {name}\nenable\t{name};\n{}", ours.wgsl);
            compile(&text, ours, &Consts::default()).err()
        };
        for extension in ImplementedEnableExtension::VARIANTS {
            let name = EnableExtension::from(*extension).to_ident();
            let fault = faulty(name, &SGD).unwrap();
            assert_eq!(fault.at, at(2, 8), "{fault:?}");
            assert!(fault.message.contains(&format!(" may enable {name}: the device for sgd")), "{fault:?}");
            let of_tiles = ["f16", "wgpu_cooperative_matrix"].contains(&name);
            assert_eq!(faulty(name, &MATMUL_COOPERATIVE).is_none(), of_tiles, "{name}");
            assert_eq!(fault.message.starts_with("only a matmul_cooperative"), of_tiles, "{fault:?}");
        }
        let both = "enable f16;\nenable clip_distances , f16;";
        let fault = compile(both, &MATMUL_COOPERATIVE, &Consts::default()).unwrap_err();
        assert_eq!(fault.at, at(2, 8), "{fault:?}");
        assert!(fault.message.contains("no kernel may enable clip_distances"), "{fault:?}");
    }

    #[test]
    fn no_advice_is_to_enable_a_refused_extension() {
        let fault = |text: &str, ours| compile(text, ours, &Consts::default()).unwrap_err();
        for (text, column) in [("fn f() -> f16 { return 1; }", 11), ("const A = 1.0h;", 11)] {
            let told = fault(text, &SGD);
            assert_eq!(told.at, at(1, column), "{told:?}");
            assert!(told.message.contains("only a matmul_cooperative may enable f16"), "{told:?}");
            assert!(!told.message.contains("adding"), "{told:?}");
            assert!(fault(text, &MATMUL_COOPERATIVE).message.contains("adding `enable f16;`"));
        }
        // These have no extension, and no device has them.
        for text in ["// f64\nvar<private> a: f64;", "// i64\nvar<private> a: vec2<i64>;"] {
            let told = fault(text, &SGD);
            assert_eq!(told.at.map(|at| at.line), Some(2), "{told:?}");
        }
        assert!(fault("fn f(t: texture_cube_array<f32>) {}", &SGD).message.contains("CUBE_ARRAY"));
    }

    #[test]
    fn a_caret_stands_under_its_column_with_tabs_and_letters_of_two_bytes() {
        let fault = Fault { message: "no".into(), at: at(1, 4) };
        assert_eq!(fault.report("a.wgsl", "\té x"), "a.wgsl:1:4: no\n 1 | \té x\n   | \t  ^");
    }

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_shown_as_one_sign() {
        let fault = Fault { message: "no \u{1b}[2J\u{202e}".into(), at: at(1, 4) };
        let report = fault.report("a.wgsl", "\té\u{1b}!\u{200b}\u{9b}x");
        assert_eq!(report, "a.wgsl:1:4: no �[2J�\n 1 | \té�!��x\n   | \t  ^");
        let long = Fault::whole("x".repeat(200_000)).report("a.wgsl", "");
        assert_eq!(long.chars().count(), "a.wgsl: …".chars().count() + MESSAGE);
    }

    #[test]
    fn a_long_line_is_shown_around_its_column() {
        let long = format!("{}!{}", "a".repeat(5_000), "b".repeat(70_000));
        for (text, column) in [(long.clone(), 5_001), (format!("!{long}"), 1), (format!("{long}c!"), 75_003)]
        {
            let fault = Fault { message: "no".into(), at: at(1, column) };
            let report = fault.report("a.wgsl", &text);
            let lines: Vec<Vec<char>> = report.lines().map(|line| line.chars().collect()).collect();
            let caret = lines[2].iter().position(|c| *c == '^').unwrap();
            assert_eq!(lines[1][caret], '!', "{report}");
            assert!(lines[1].len() < SHOWN + 10, "{report}");
        }
    }
}
