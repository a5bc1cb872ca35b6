//! Rust text as identifiers, string literals and punctuation, each with its line; comments are left out.

/// A part of Rust text.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(String),
    /// A string literal as it is written, without quotes.
    Text(String),
    /// `::`
    Colons,
    /// Any other punctuation.
    Mark(char),
}

impl Token {
    pub fn is(&self, mark: char) -> bool {
        *self == Token::Mark(mark)
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The tokens of a file, with their lines, counted from 1.
pub fn tokens(text: &str) -> Vec<(usize, Token)> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut line, mut at) = (Vec::new(), 1, 0);
    while at < letters.len() {
        let rest = &letters[at..];
        let is_word = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        let (len, token) = match rest {
            ['/', '/', ..] => (until(rest, &['\n']), None),
            ['/', '*', ..] => (comment(rest), None),
            ['"', ..] => literal(rest, string(rest)),
            ['b' | 'c', '"', ..] => literal(rest, 1 + string(&rest[1..])),
            ['r', '"' | '#', ..] if raw_string(rest).is_some() => literal(rest, raw_string(rest).unwrap()),
            ['b' | 'c', 'r', '"' | '#', ..] if raw_string(&rest[1..]).is_some() => {
                literal(rest, 1 + raw_string(&rest[1..]).unwrap())
            }
            // A character, else a lifetime.
            ['\'', '\\', ..] => (3 + until(&rest[3..], &['\'']) + 1, None),
            ['\'', _, '\'', ..] => (3, None),
            ['\'', ..] => (1, None),
            [':', ':', ..] => (2, Some(Token::Colons)),
            [letter, ..] if is_word(letter) => {
                let len = rest.iter().take_while(|letter| is_word(letter)).count();
                (len, Some(Token::Word(rest[..len].iter().collect())))
            }
            [letter, ..] if letter.is_whitespace() => (1, None),
            [letter, ..] => (1, Some(Token::Mark(*letter))),
            [] => unreachable!("the loop ends in front of the end"),
        };
        found.extend(token.map(|token| (line, token)));
        let end = (at + len).min(letters.len());
        line += letters[at..end].iter().filter(|letter| **letter == '\n').count();
        at = end;
    }
    found
}

/// A string literal with its length.
fn literal(letters: &[char], len: usize) -> (usize, Option<Token>) {
    let whole: String = letters[..len.min(letters.len())].iter().collect();
    let inner = whole.trim_start_matches(['b', 'c', 'r', '#']).trim_end_matches('#');
    let inner = inner.strip_prefix('"').unwrap_or(inner);
    (len, Some(Token::Text(inner.strip_suffix('"').unwrap_or(inner).to_owned())))
}

/// Letters in front of `end`.
fn until(letters: &[char], end: &[char]) -> usize {
    letters.windows(end.len()).position(|window| window == end).unwrap_or(letters.len())
}

/// Length of a comment that may hold others.
fn comment(letters: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < letters.len() {
        match letters[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a string with its quotes.
fn string(letters: &[char]) -> usize {
    let mut at = 1;
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of a raw string, if it is one: `r#"…"#`.
fn raw_string(letters: &[char]) -> Option<usize> {
    let hashes = letters[1..].iter().take_while(|letter| **letter == '#').count();
    let start = 1 + hashes;
    (letters.get(start) == Some(&'"')).then(|| {
        let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        start + 1 + until(&letters[start + 1..], &end) + end.len()
    })
}

#[test]
fn comments_are_left_out_and_lines_are_counted() {
    let text = "//! crate::a\nuse b::c; /* crate::d /* e */\n */ let f = \"crate::g \\\" \n\";\n\
                let h = r#\"crate::i\"\"#; let j = 'k'; fn l<'m>() { '\\'' } n";
    let found = tokens(text);
    let words: Vec<(usize, &str)> =
        found.iter().filter_map(|(line, token)| Some((*line, token.word()?))).collect();
    let expected = [(2, "use"), (2, "b"), (2, "c"), (3, "let"), (3, "f"), (5, "let"), (5, "h"), (5, "let")];
    assert_eq!(words[..8], expected);
    assert_eq!(words[8..], [(5, "j"), (5, "fn"), (5, "l"), (5, "m"), (5, "n")]);
    assert_eq!(found.iter().filter(|(_, token)| *token == Token::Colons).count(), 1);
    let texts = found.iter().filter_map(|(line, token)| match token {
        Token::Text(text) => Some((*line, text.as_str())),
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), [(3, "crate::g \\\" \n"), (5, "crate::i\"")]);
}
