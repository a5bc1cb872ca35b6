//! The links and paths of the pages.

use std::path::Path;

/// A link of a page.
struct Link<'a> {
    target: &'a str,
    /// The part after `#`.
    anchor: Option<&'a str>,
}

/// The relative links of a page, without code.
fn links(text: &str) -> Vec<Link<'_>> {
    let starts = text.match_indices("](").map(|(at, mark)| at + mark.len());
    let ends = starts.filter_map(|start| Some(&text[start..start + text[start..].find(')')?]));
    let relative = ends.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace));
    relative
        .map(|link| match link.split_once('#') {
            Some((target, anchor)) => Link { target, anchor: Some(anchor) },
            None => Link { target: link, anchor: None },
        })
        .collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The links of a page that lead nowhere.
pub fn broken_links(root: &Path, page: &str, text: &str) -> Vec<String> {
    let folder = root.join(page).parent().expect("a page is in a folder").to_owned();
    let broken = |link: &Link| {
        let path = if link.target.is_empty() { root.join(page) } else { folder.join(link.target) };
        let leads = match link.anchor {
            None => path.exists(),
            Some(anchor) => std::fs::read_to_string(&path)
                .is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor)),
        };
        !leads
    };
    let name = |link: Link| match link.anchor {
        Some(anchor) => format!("{page}: {}#{anchor} is not there", link.target),
        None => format!("{page}: {} is not there", link.target),
    };
    links(text).into_iter().filter(broken).map(name).collect()
}

/// The paths that a page names between backticks and that do not exist.
pub fn missing_paths(root: &Path, page: &str, text: &str) -> Vec<String> {
    const FOLDERS: [&str; 7] = ["src/", "shaders/", "tests/", "benches/", "docs/", "data/", "examples/"];
    // Every second piece is between two backticks.
    let quoted = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
    let paths = quoted.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
    let exact = paths.filter(|path| !["NAME", "FAMILY"].iter().any(|name| path.contains(name)));
    exact.filter(|path| !root.join(path).exists()).map(|path| format!("{page}: no {path}")).collect()
}

#[test]
fn a_broken_link_an_unknown_anchor_and_a_missing_path_are_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "[a](src/lib.rs) [b](src/nowhere.rs) [c](https://example.org) [d](#a-heading) [e](#none)\n\
                # A *heading*!\n`src/main.rs` `src/no.rs` `src/NAME.rs`\n";
    let page = std::env::temp_dir().join(format!("wgrad-links-{}.md", std::process::id()));
    std::fs::write(&page, text).unwrap();
    // The page is elsewhere, so its links are given from the root.
    let own = page.to_str().unwrap();
    let broken = broken_links(root, own, &text.replace("(src/", &format!("({}/src/", root.display())));
    std::fs::remove_file(&page).unwrap();
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(broken[0].contains("src/nowhere.rs") && broken[1].contains("#none"), "{broken:?}");
    assert_eq!(missing_paths(root, "page.md", text), ["page.md: no src/no.rs"]);
}
