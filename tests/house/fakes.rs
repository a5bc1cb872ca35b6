//! Tests of the rules: small trees that each break one.

use super::rules::{Room, circles, forbidden_imports, of_one_system, out_of_order, rooms, too_long};
use super::tree::{Source, Tree};

const ROOMS: &[Room] = &[Room::new("error", "", ""), Room::new("low", "", ""), Room::new("high", "", "low")];

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::new(files.iter().map(|(path, text)| Source::new(path, text)).collect())
}

#[test]
fn an_import_of_a_higher_room_is_named_with_file_and_line() {
    let upwards =
        |text: &str| forbidden_imports(&tree(&[("src/low/a.rs", text), ("src/high/mod.rs", "")]), ROOMS);
    for text in [
        "\nuse crate::high::B;",
        "\nuse crate::{error::Error, high::B};",
        "\nfn f() { crate::high::b() }",
        "\nuse wgrad::high;",
        "\nuse super::super::high::B;",
        "\nmod tests { use crate::high::B; }",
        "fn f() {} // a comment\npub use crate::high::B;",
        "use crate::\n    high::B;",
    ] {
        let found = upwards(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        let line = if text.starts_with("use") { 1 } else { 2 };
        assert!(
            found[0].starts_with(&format!("src/low/a.rs:{line} imports high, which low may not")),
            "{found:?}"
        );
    }
    assert_eq!(upwards("use crate::internals::high::B;").len(), 1);
    for text in [
        "use crate::error::high;",
        "// crate::high::B",
        "const A: &str = \"crate::high::B\";",
        "use high::B;",
    ] {
        assert_eq!(upwards(text), [""; 0], "{text}");
    }
    assert_eq!(
        forbidden_imports(&tree(&[("src/error.rs", "use crate::low::A;"), ("src/low/mod.rs", "")]), ROOMS)
            .len(),
        1
    );
    assert_eq!(
        forbidden_imports(
            &tree(&[("src/high/a.rs", "use crate::low::A;"), ("src/lib.rs", "use crate::high;")]),
            ROOMS
        ),
        [""; 0]
    );
}

#[test]
fn an_import_of_an_unlisted_room_is_named() {
    let alone = [Room::new("low", "", ""), Room::new("high", "", "")];
    let files = [("src/low/mod.rs", ""), ("src/high/mod.rs", "use crate::low::A;")];
    assert_eq!(forbidden_imports(&tree(&files), ROOMS), [""; 0]);
    assert_eq!(forbidden_imports(&tree(&files), &alone).len(), 1);
    assert_eq!(out_of_order(ROOMS), [""; 0]);
    assert_eq!(out_of_order(&[Room::new("low", "", "high"), Room::new("high", "", "low")]).len(), 1);
}

#[test]
fn files_that_import_one_another_are_named() {
    let two = circles(&tree(&[
        ("src/low/mod.rs", "mod a; mod b;"),
        ("src/low/a.rs", "use super::b::B; struct A;"),
        ("src/low/b.rs", "\nfn f() { crate::low::a::A }"),
    ]));
    let expected = "a circle: src/low/a.rs:1 imports src/low/b.rs; src/low/b.rs:2 imports src/low/a.rs";
    assert_eq!(two, [expected]);
    let three = circles(&tree(&[
        ("src/low/a.rs", "use super::b::c::C;"),
        ("src/low/b.rs", "use super::a;"),
        ("src/low/b/c.rs", "use crate::low::b::B;"),
    ]));
    assert_eq!(three.len(), 1);
    let line = circles(&tree(&[
        ("src/low/a.rs", "use super::b::B;"),
        ("src/low/b.rs", "use super::c::C;"),
        ("src/low/c.rs", ""),
    ]));
    assert_eq!(line, [""; 0]);
}

#[test]
fn a_re_export_is_not_a_use() {
    let files = |parent: &str| {
        circles(&tree(&[
            ("src/low/mod.rs", parent),
            ("src/low/a.rs", "use super::{B, Own}; pub struct A;"),
            ("src/low/b.rs", "pub struct B;"),
        ]))
    };
    assert_eq!(files("mod a; mod b; pub use a::A; pub use b::B; pub struct Own;"), [""; 0]);
    // It uses a name that it re-exports, an import, or a path.
    assert_eq!(files("mod a; mod b; pub use a::A; pub use b::B; pub struct Own(A);").len(), 1);
    assert_eq!(files("mod a; mod b; use a::A; pub use b::B; pub struct Own(A);").len(), 1);
    assert_eq!(files("mod a; mod b; pub use b::B; pub struct Own(a::A);").len(), 1);
    // An item is in the file that defines it, not in one that re-exports it.
    let passed = circles(&tree(&[
        ("src/low/mod.rs", "mod a; mod b; pub use b::B; fn f() { a::A }"),
        ("src/low/a.rs", "use super::B; pub struct A;"),
        ("src/low/b.rs", "pub struct B;"),
    ]));
    assert_eq!(passed, [""; 0]);
}

#[test]
fn unlisted_folders_and_rooms_without_a_head_comment_are_named() {
    let said = ("src/low/mod.rs", "//! What is low.\n");
    let high = ("src/high/mod.rs", "//! What is high.\n");
    assert_eq!(rooms(&tree(&[said, high]), ROOMS), [""; 0]);
    assert_eq!(rooms(&tree(&[said]), ROOMS).len(), 1);
    assert_eq!(rooms(&tree(&[said, ("src/high/mod.rs", "mod a;")]), ROOMS).len(), 1);
    assert_eq!(rooms(&tree(&[said, high, ("src/more/mod.rs", "//! More.\n")]), ROOMS).len(), 1);
}

#[test]
fn a_file_is_too_long_from_351_lines_on() {
    let (most, more) = ("\n".repeat(350), "\n".repeat(351));
    assert_eq!(too_long([("src/a.rs", most.as_str())]), [""; 0]);
    let found = too_long([("src/a.rs", most.as_str()), ("shaders/b.wgsl", more.as_str())]);
    assert!(found.len() == 1 && found[0].starts_with("shaders/b.wgsl has 351 lines"), "{found:?}");
}

#[test]
fn code_for_one_system_is_named_outside_platform_files_comments_and_tests() {
    fn found(path: &str, text: &str) -> Vec<String> {
        of_one_system([(path, text)])
    }
    for text in ["use std::os::unix::fs::symlink;", "    if cfg!(windows) {", "fs::read(\"/proc/stat\")"] {
        let text = format!("\n{text}\n");
        let named = found("src/low/a.rs", &text);
        assert!(named.len() == 1 && named[0].starts_with("src/low/a.rs:2 has "), "{text}: {named:?}");
        assert_eq!(found("src/low/platform.rs", &text), [""; 0]);
        assert_eq!(found("src/low/a.rs", &format!("fn a() {{}}\n#[cfg(test)]\n{text}")), [""; 0]);
    }
    assert_eq!(found("src/low/a.rs", "// std::os::unix\nfn a() {}"), [""; 0]);
}
