//! Pages: their size, and that nothing in them is broken.

use wgrad::lessons::machine::Machine;
use wgrad::lessons::options::Options;
use wgrad::lessons::page::terminal::{Screen, render};
use wgrad::lessons::page::{Block, svg};
use wgrad::lessons::{ALL, run};

#[test]
fn every_page_fits_a_screen_and_80_columns() {
    for lesson in ALL {
        let page = run(lesson, &Options::default(), &Machine::plain()).unwrap();
        for lines in [24, 40, 60] {
            let rendered = render(&page, Screen { columns: 80, lines: Some(lines) });
            assert!(rendered.len() <= lines, "lesson {}: {} lines of {lines}", lesson.id, rendered.len());
        }
        for line in render(&page, Screen { columns: 80, lines: None }) {
            assert!(line.chars().count() <= 80, "lesson {}: {line}", lesson.id);
        }
    }
}

#[test]
fn every_page_names_its_kernels_and_ends_with_something_to_try() {
    for lesson in ALL {
        let page = run(lesson, &Options::default(), &Machine::plain()).unwrap();
        let noted =
            page.blocks.iter().any(|block| matches!(block, Block::Note(note) if !note.kernels.is_empty()));
        assert!(noted, "lesson {} names no kernel", lesson.id);
        let Some(Block::Try { command, .. }) = page.blocks.last() else {
            panic!("lesson {} ends with nothing to try", lesson.id)
        };
        let mut words = command.split(' ').skip(1);
        assert_eq!(words.next(), Some("lesson"), "{command}");
        let named = words.next().unwrap_or_default();
        assert!(named == lesson.name || named == lesson.id, "{command}");
    }
}

#[test]
fn pictures_are_self_contained() {
    for lesson in ALL {
        let page = run(lesson, &Options::default(), &Machine::plain()).unwrap();
        let picture = svg::render(&page.plots().collect::<Vec<_>>());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
        for forbidden in ["<script", "href", "url(", "NaN", "inf"] {
            assert!(!picture.contains(forbidden), "lesson {}: {forbidden}", lesson.id);
        }
    }
}
