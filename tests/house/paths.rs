//! The paths that a file of Rust names: those that it imports, and those in its code.

use std::collections::BTreeSet;

use super::tokens::{Token, tokens};

/// A path as it is written, such as `super::Kernel`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub line: usize,
    /// The modules within the file, around the place where it is written.
    pub within: Vec<String>,
    pub segments: Vec<String>,
}

/// An import.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub path: Path,
    /// The name that it brings.
    pub name: String,
    /// Whether it is a re-export.
    pub public: bool,
}

/// The imports, paths and words of a file.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub uses: Vec<Use>,
    /// Paths of two segments or more outside of imports.
    pub paths: Vec<Path>,
    /// Words outside of imports.
    pub words: BTreeSet<String>,
}

impl Names {
    /// Reads the text of a file.
    pub fn read(text: &str) -> Names {
        let tokens = tokens(text);
        let mut names = Names::default();
        // The modules of this file around a token, each with the depth of braces in front of it.
        let (mut within, mut depth, mut at): (Vec<(String, usize)>, usize, usize) = (Vec::new(), 0, 0);
        while at < tokens.len() {
            let (line, token) = &tokens[at];
            let around = || within.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => {
                    depth -= 1;
                    within.retain(|(_, start)| *start < depth);
                }
                Token::Word(word) if word == "mod" => {
                    if let [(_, Token::Word(name)), (_, mark), ..] = &tokens[at + 1..] {
                        if mark.is('{') {
                            within.push((name.clone(), depth));
                        }
                        at += 1;
                    }
                }
                Token::Word(word) if word == "use" => {
                    let public = at > 0 && follows_pub(&tokens[..at]);
                    at = names.read_use(&tokens, at + 1, &mut Vec::new(), &around(), public);
                }
                Token::Word(_) => {
                    let path = Path { line: *line, within: around(), segments: segments(&tokens[at..]) };
                    at += 2 * (path.segments.len() - 1);
                    names.words.insert(path.segments[0].clone());
                    if path.segments.len() > 1 {
                        names.paths.push(path);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        names
    }

    /// Reads a tree of imports up to the mark behind it, whose position it returns.
    fn read_use(
        &mut self,
        tokens: &[(usize, Token)],
        mut at: usize,
        front: &mut Vec<String>,
        within: &[String],
        public: bool,
    ) -> usize {
        let (line, length) = (tokens[at].0, front.len());
        let mut name = None;
        let mut is_group = false;
        while !matches!(tokens[at].1, Token::Mark(',' | ';' | '}')) {
            match &tokens[at].1 {
                Token::Word(word) if word == "as" => {
                    at += 1;
                    name = tokens[at].1.word().map(str::to_owned);
                }
                Token::Word(word) => front.push(word.clone()),
                Token::Mark('{') => {
                    is_group = true;
                    while !tokens[at].1.is('}') {
                        at = self.read_use(tokens, at + 1, front, within, public);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        if !is_group && front.len() > length {
            // `use a::b::{self}` brings b.
            if front.last().is_some_and(|last| last == "self") && front.len() > 1 {
                front.pop();
            }
            let path = Path { line, within: within.to_vec(), segments: front.clone() };
            let name = name.or_else(|| front.last().cloned()).unwrap_or_default();
            self.uses.push(Use { path, name, public });
        }
        front.truncate(length);
        at
    }
}

/// Whether the last of these tokens are `pub` or `pub(…)`.
fn follows_pub(tokens: &[(usize, Token)]) -> bool {
    let before = tokens.len().saturating_sub(6);
    let nearest = tokens[before..].iter().rev().map(|(_, token)| token);
    nearest
        .take_while(|token| !matches!(token, Token::Mark(';' | '{' | '}' | ']')))
        .any(|token| token.word() == Some("pub"))
}

/// Words that follow one another with `::` between them.
fn segments(tokens: &[(usize, Token)]) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    let mut rest = tokens;
    while let [(_, Token::Word(word)), tail @ ..] = rest {
        segments.push(word.clone());
        match tail {
            [(_, Token::Colons), next @ ..] => rest = next,
            _ => break,
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &Path) -> String {
        let within: String = path.within.iter().map(|name| format!("{name}|")).collect();
        format!("{} {within}{}", path.line, path.segments.join("::"))
    }

    #[test]
    fn imports_are_read_out_of_their_groups() {
        let names = Names::read(
            "pub(crate) use a::{b, c::{self, d as e},\n f::*};\nuse g;\nmod tests { use super::*; fn x() { crate::h::i() } }\nuse j::k;",
        );
        let uses: Vec<String> = names
            .uses
            .iter()
            .map(|one| format!("{} as {} {}", told(&one.path), one.name, one.public))
            .collect();
        let expected = [
            "1 a::b as b true",
            "1 a::c as c true",
            "1 a::c::d as e true",
            "2 a::f as f true",
            "3 g as g false",
            "4 tests|super as super false",
            "5 j::k as k false",
        ];
        assert_eq!(uses, expected);
        assert_eq!(names.paths.iter().map(told).collect::<Vec<_>>(), ["4 tests|crate::h::i"]);
    }

    #[test]
    fn paths_in_code_are_found_with_the_modules_around_them() {
        let names = Names::read("fn f() -> a::B { c(d::e) }\nmod m { mod n { x::y } z::w }\nu::v");
        let paths: Vec<String> = names.paths.iter().map(told).collect();
        assert_eq!(paths, ["1 a::B", "1 d::e", "2 m|n|x::y", "2 m|z::w", "3 u::v"]);
        assert!(names.words.contains("c") && !names.words.contains("e"));
    }
}
