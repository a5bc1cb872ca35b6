//! Pages: their size, and that nothing in them is broken.

use wgrad::internals::report::page::terminal::{Screen, render};
use wgrad::internals::report::page::{Block, Plot, svg};
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::options::LessonOptions;
use wgrad::internals::teach::lessons::{ALL, find, run};

use super::close;

#[test]
fn every_page_fits_a_screen_and_80_columns() {
    for lesson in ALL {
        let page = run(lesson, &LessonOptions::default(), &Machine::plain()).unwrap();
        for lines in [24, 40, 60] {
            let rendered = render(&page, Screen { columns: 80, lines: Some(lines) });
            assert!(rendered.len() <= lines, "lesson {}: {} lines of {lines}", lesson.id, rendered.len());
            for line in rendered {
                assert!(line.chars().count() <= 80, "lesson {}, {lines} lines: {line}", lesson.id);
            }
        }
        for line in render(&page, Screen { columns: 80, lines: None }) {
            assert!(line.chars().count() <= 80, "lesson {}: {line}", lesson.id);
        }
    }
}

/// Characters of a drawing: axes, dots and marks.
fn is_drawn(line: &str) -> bool {
    let axis = line.contains(['┤', '│']);
    axis && line.contains(|c: char| ('\u{2801}'..='\u{28ff}').contains(&c) || "●○×+◆◇".contains(c))
}

#[test]
fn the_smallest_screen_still_has_the_idea_a_drawing_the_shaders_and_what_to_try() {
    for machine in [Machine::plain(), Machine::oracle()] {
        for lesson in ALL {
            let page = run(lesson, &LessonOptions::default(), &machine).unwrap();
            // A terminal of 24 lines, less those of the device and the prompt.
            let rendered = render(&page, Screen { columns: 80, lines: Some(20) });
            assert!(rendered.len() <= 20, "lesson {}: {} lines", lesson.id, rendered.len());
            let text = rendered.join(" ");
            let Some(Block::Text(idea)) = page.blocks.first() else {
                panic!("lesson {}: no idea", lesson.id)
            };
            let words: Vec<&str> = idea.split(' ').take(10).collect();
            assert!(text.contains(&words.join(" ")), "lesson {}: no idea in {text}", lesson.id);
            let drawn = rendered.iter().filter(|line| is_drawn(line)).count();
            assert!(drawn >= 2, "lesson {}: {drawn} lines are drawn in {rendered:#?}", lesson.id);
            for part in ["Computed by", "shaders/", "matmul_naive", ".wgsl", "matmul", "Try `wgrad lesson"] {
                assert!(text.contains(part), "lesson {}: no “{part}” in {rendered:#?}", lesson.id);
            }
            let twins = text.contains("cpu::matmul::matmul") || text.contains("src/cpu/{");
            assert!(twins, "lesson {}: no twin in {rendered:#?}", lesson.id);
            assert!(text.contains("--all"), "lesson {}: it does not say that it is shortened", lesson.id);
            let table = page.tables().next().map(|table| &table.columns[0]).unwrap();
            assert!(
                rendered.iter().any(|line| line.trim_start().starts_with(table)),
                "lesson {}: no numbers",
                lesson.id
            );
        }
    }
}

#[test]
fn pages_keep_to_any_screen_size() {
    let page = run(&ALL[10], &LessonOptions::default(), &Machine::plain()).unwrap();
    for lines in 1..=60 {
        let rendered = render(&page, Screen { columns: 80, lines: Some(lines) });
        assert!(rendered.len() <= lines.max(2), "{} lines of {lines}", rendered.len());
    }
    // More room is used.
    let shown = |lines| render(&page, Screen { columns: 80, lines: Some(lines) }).len();
    assert!(shown(40) > 24 && shown(60) > 40);
    // And a narrow screen.
    for lesson in ALL {
        let page = run(lesson, &LessonOptions::default(), &Machine::plain()).unwrap();
        for columns in [40, 47, 60, 80] {
            for lines in [Some(20), None] {
                for line in render(&page, Screen { columns, lines }) {
                    // A path or an equation without blanks can't be broken.
                    let fits = line.chars().count() <= columns || !line.trim().contains(' ');
                    assert!(fits, "lesson {}, {columns} columns: {line}", lesson.id);
                }
            }
        }
    }
}

#[test]
fn a_split_table_repeats_its_key_columns() {
    let page = run(find("7b").unwrap(), &LessonOptions::default(), &Machine::plain()).unwrap();
    let rendered = render(&page, Screen { columns: 60, lines: None });
    let heads: Vec<Vec<&str>> = rendered
        .iter()
        .filter(|line| line.trim_start().starts_with("iteration  output"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(heads.len() > 1, "{heads:?}");
    let names: Vec<&str> = heads.iter().flat_map(|head| &head[2..]).copied().collect();
    assert_eq!(names, ["prediction", "delta", "error", "weight_delta", "new", "weight"]);
}

#[test]
fn a_page_does_not_suggest_the_settings_that_it_has() {
    let command = |options: &LessonOptions| {
        let page = run(find("neuron").unwrap(), options, &Machine::plain()).unwrap();
        match page.blocks.last() {
            Some(Block::Try { command, .. }) => command.clone(),
            other => panic!("{other:?}"),
        }
    };
    let tried = LessonOptions { alpha: Some(0.01), ..LessonOptions::default() };
    assert_eq!(command(&LessonOptions::default()), "wgrad lesson neuron --alpha 0.01");
    assert_eq!(command(&tried), "wgrad lesson neuron");
    assert_eq!(command(&LessonOptions { seed: Some(1), ..tried }), "wgrad lesson neuron --alpha 0.01");
}

#[test]
fn sentences_follow_from_the_numbers() {
    let told = |lesson: &str, options: LessonOptions, parts: &[&str], not: &[&str]| {
        let page = run(find(lesson).unwrap(), &options, &Machine::plain()).unwrap();
        let text = render(&page, Screen { columns: 80, lines: None }).join(" ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        parts.iter().for_each(|part| assert!(text.contains(part), "no “{part}” in: {text}"));
        not.iter().for_each(|part| assert!(!text.contains(part), "“{part}” in: {text}"));
    };
    let alpha = |alpha| LessonOptions { alpha: Some(alpha), ..LessonOptions::default() };
    let once = || LessonOptions { iterations: Some(1), ..LessonOptions::default() };
    told("7b", LessonOptions::default(), &["all get nearer"], &["run away"]);
    told("7b", alpha(4.8), &["all run away"], &["all get nearer"]);
    told("7b", alpha(0.0), &["no step moves"], &["all get nearer"]);
    told("neuron", LessonOptions::default(), &["about the same"], &[]);
    told("neuron", alpha(1e30), &["worse than predicting one half"], &["about the same"]);
    let weights = LessonOptions { weights: Some(vec![0.0, 0.0]), ..LessonOptions::default() };
    told("8", weights, &["exactly one half"], &["the neuron is sure of it", "All are on the right side"]);
    let sure = "What is wrong is not a little wrong";
    told("8", LessonOptions::default(), &[sure], &["exactly one half"]);
    let unsure = LessonOptions { weights: Some(vec![0.1, 0.1]), ..LessonOptions::default() };
    told("8", unsure, &["only a little wrong"], &[sure]);
    let falls = ["goes on falling", "early stopping. "];
    told("images", once(), &["One round shows no trend"], &falls);
    told(
        "images",
        LessonOptions { iterations: Some(2), ..LessonOptions::default() },
        &["nothing to stop early"],
        &falls,
    );
    told(
        "images",
        LessonOptions::default(),
        &["goes on falling", "guessing gives 10 %"],
        &["nothing to stop early"],
    );
}

#[test]
fn every_lesson_draws_something() {
    for lesson in ALL {
        let page = run(lesson, &LessonOptions::default(), &Machine::plain()).unwrap();
        let points = |plot: &Plot| plot.series.iter().map(|series| series.points.len()).sum::<usize>();
        assert!(page.plots().next().is_some(), "lesson {}", lesson.id);
        assert!(page.plots().all(|plot| points(plot) > 1), "lesson {}", lesson.id);
    }
}

/// The points of a series of a lesson's only drawing.
fn series(lesson: &str, options: &LessonOptions, name: &str) -> Vec<(f64, f64)> {
    let page = run(find(lesson).unwrap(), options, &Machine::plain()).unwrap();
    let mut all = page.plots().flat_map(|plot| plot.series.clone());
    let names: Vec<String> = page.plots().flat_map(|plot| &plot.series).map(|one| one.name.clone()).collect();
    all.find(|series| series.name == name)
        .unwrap_or_else(|| panic!("no “{name}”, there are {names:?}"))
        .points
}

fn heights(points: &[(f64, f64)]) -> Vec<f64> {
    points.iter().map(|point| point.1).collect()
}

#[test]
fn bars_are_the_sums_and_what_they_consist_of() {
    let own = LessonOptions::default();
    let of = |name| heights(&series("3", &own, name));
    close(&of("sum"), &[0.98, 1.11, 1.15, 1.08]);
    close(&of("toes · weight"), &[0.85, 0.95, 0.99, 0.9]);
    close(&of("win rate · weight"), &[0.13, 0.16, 0.16, 0.18]);
    close(&of("fans · weight"), &[0.0; 4]);
    // Both products side by side, and the transposed one.
    let of = |name| heights(&series("4", &own, name));
    close(&of("third row 0, 1.3, 0.1"), &[0.72, 0.98, 0.91]);
    close(&of("third row 0.1, 1.3, 0.1"), &[0.62, 1.15, 2.18]);
    close(&of("transposed"), &[1.22, 3.1, -2.82]);
    let given = LessonOptions {
        input: Some(vec![1.0, 2.0]),
        weights: Some(vec![1.0, 0.5, -1.0, 0.25, 3.0, 0.0]),
        ..LessonOptions::default()
    };
    close(&heights(&series("4", &given, "prediction")), &[2.0, -0.5, 3.0]);
}

#[test]
fn on_the_decision_line_the_weighted_sum_is_zero() {
    let own = LessonOptions::default();
    let on = |lesson, name, [a, b, c]: [f64; 3]| {
        let ends = series(lesson, &own, name);
        assert_eq!(ends.len(), 2, "lesson {lesson}");
        for (x, y) in &ends {
            assert!((a * x + b * y + c).abs() < 1e-4, "lesson {lesson}: {ends:?}");
        }
    };
    on("8", "prediction ½", [1.45, -0.66, 0.0]);
    on("9", "before", [1.45, -0.66, 0.0]);
    // 2·(p − t) = 1.7420383 less, as the lesson has it.
    on("9", "after", [1.45 - 1.7420383, -0.66 - 1.7420383, 0.0]);
    assert_eq!(series("8", &own, "class 1"), [(f64::from(1.66f32), f64::from(1.56f32))]);
    assert_eq!(series("8", &own, "class 0"), [(2.0, 1.5)]);
}

#[test]
fn every_page_names_its_kernels_and_ends_with_something_to_try() {
    for lesson in ALL {
        let page = run(lesson, &LessonOptions::default(), &Machine::plain()).unwrap();
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
        let page = run(lesson, &LessonOptions::default(), &Machine::plain()).unwrap();
        let picture = svg::render(&page.plots().collect::<Vec<_>>());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
        for forbidden in ["<script", "href", "url(", "NaN", "inf"] {
            assert!(!picture.contains(forbidden), "lesson {}: {forbidden}", lesson.id);
        }
    }
}
