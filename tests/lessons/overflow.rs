//! Numbers that overflow f32: every lesson reports them, with a limit that is right.

use super::machines;
use wgrad::Error;
use wgrad::internals::report::page::{Block, Cell, Page};
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::options::{LessonOptions, Setting};
use wgrad::internals::teach::lessons::{ALL, find, run};

/// Settings, as a command line has them.
type Given<'a> = &'a [(Setting, &'a [f32])];

/// The options of a command line, as far as these tests need them.
fn options(settings: Given) -> LessonOptions {
    let mut options = LessonOptions::default();
    for (flag, values) in settings {
        match flag {
            Setting::Alpha => options.alpha = Some(values[0]),
            Setting::Step => options.step = Some(values[0]),
            Setting::Iterations => options.iterations = Some(values[0] as usize),
            Setting::Input => options.input = Some(values.to_vec()),
            Setting::Weights => options.weights = Some(values.to_vec()),
            Setting::Goal => options.goal = Some(values.to_vec()),
            Setting::Seed => options.seed = Some(values[0] as u64),
            Setting::Data => unreachable!("these lessons have no data"),
        }
    }
    options
}

fn teach(lesson: &str, settings: Given, machine: &Machine) -> Page {
    run(find(lesson).unwrap(), &options(settings), machine).unwrap()
}

/// Whether a number of the page is not finite, by its tables and its formulas.
fn overflows(page: &Page) -> bool {
    page.blocks.iter().any(|block| match block {
        Block::Table(table) => {
            let cells = table.rows.iter().flatten();
            cells.into_iter().any(|cell| matches!(cell, Cell::Number(value) if !value.is_finite()))
        }
        Block::Formulas(lines) => {
            lines.iter().any(|line| line.contains('∞') || line.contains("not a number"))
        }
        _ => false,
    })
}

#[test]
fn every_overflow_is_reported_with_the_limit() {
    use Setting::{Alpha, Goal, Input, Iterations, Step, Weights};
    let cases: &[(&str, Given, &[&str])] = &[
        ("1", &[(Weights, &[1e38])], &["below 3.403e38", "10 · 1e38 = 1e39"]),
        ("2", &[(Weights, &[1e30])], &["within 1.845e19", "1.05e31 off"]),
        ("2", &[(Goal, &[1e30, 1.0])], &["within 1.845e19", "1e30 off"]),
        ("3", &[(Input, &[1e38, 1e38]), (Weights, &[1e38, 1.0])], &["below 3.403e38", "1e76"]),
        ("4", &[(Input, &[1e38, 1.0]), (Weights, &[1e38, 1.0, 1.0, 1.0])], &["below 3.403e38", "1e76"]),
        ("5", &[(Goal, &[1e30])], &["within 1.845e19", "1e30 off"]),
        ("6", &[(Step, &[3e38])], &["within 1.845e19", "1.5e38 off"]),
        ("7", &[(Alpha, &[1e20]), (Iterations, &[50.0])], &["iteration 3", "2 / input² = 22.2222"]),
        ("7", &[(Goal, &[1e30])], &["within 1.845e19"]),
        ("7", &[(Input, &[1e20]), (Weights, &[0.0]), (Goal, &[1e19])], &["weight_delta", "1e39"]),
        ("7", &[(Alpha, &[-3e38])], &["alpha above 0 and below 2 / input² = 22.2222"]),
        ("7b", &[(Alpha, &[1e20])], &["iteration 2", "2 / input² = 4.73373"]),
        ("9", &[(Alpha, &[3e38])], &["up to an alpha of 4.861e37"]),
    ];
    for machine in machines() {
        // f64 does not overflow here; the limits are those of f32.
        if machine.name.contains("f64") {
            continue;
        }
        for (lesson, settings, parts) in cases {
            let page = teach(lesson, settings, &machine);
            let sentence = page.diverged.clone().unwrap_or_else(|| panic!("lesson {lesson} {settings:?}"));
            for part in ["it diverged", "overflow f32 ("].iter().chain(*parts) {
                assert!(sentence.contains(part), "lesson {lesson}: “{sentence}” does not say “{part}”");
            }
            let told = |block: &Block| matches!(block, Block::Remark(text) if text.contains(&sentence));
            assert!(page.blocks.iter().any(told), "lesson {lesson}: the page does not report it");
        }
    }
}

#[test]
fn below_the_reported_limit_nothing_overflows_and_above_it_does() {
    use Setting::{Alpha, Goal, Input, Iterations, Weights};
    let machine = Machine::plain();
    let fits = |lesson, settings: Given| teach(lesson, settings, &machine).diverged.is_none();
    // 3.4028e38 / 10
    assert!(fits("1", &[(Weights, &[3.4e37])]) && !fits("1", &[(Weights, &[3.41e37])]));
    // √3.4028e38
    assert!(fits("2", &[(Goal, &[1.84e19, 1.0])]) && !fits("2", &[(Goal, &[1.85e19, 1.0])]));
    assert!(fits("5", &[(Goal, &[1.84e19])]) && !fits("5", &[(Goal, &[1.85e19])]));
    // 2 / 0.3²: after many steps, alpha below it converges and above it overflows.
    let steps: (Setting, &[f32]) = (Iterations, &[20_000.0]);
    assert!(fits("7", &[(Alpha, &[22.2]), steps]) && !fits("7", &[(Alpha, &[22.3]), steps]));
    assert!(fits("7b", &[(Alpha, &[4.7]), steps]) && !fits("7b", &[(Alpha, &[4.8]), steps]));
    // An alpha that can't overflow.
    assert!(
        fits("9", &[(Alpha, &[4.86e37])]) && fits("9", &[(Alpha, &[4.86e37]), (Weights, &[-1e30, 1e30])])
    );
    // Above the limit, but nothing has overflowed yet.
    assert!(fits("7", &[(Alpha, &[23.0])]));
    assert!(fits("3", &[(Input, &[1e19, 1e18]), (Weights, &[1e19, 1e18])]));
}

#[test]
fn no_page_has_an_overflow_that_is_not_reported() {
    let extremes = [1e19f32, -3e38, 3e38, 1e-38];
    let machine = Machine::plain();
    let mut told = 0;
    // The lessons with long steps have a test of their own, below.
    for lesson in ALL.iter().filter(|lesson| !["10", "11", "12"].contains(&lesson.id)) {
        for flag in lesson
            .takes
            .iter()
            .filter(|flag| ![Setting::Iterations, Setting::Seed, Setting::Data].contains(*flag))
        {
            for value in extremes {
                // Every length that a lesson may take.
                for count in 1..=9 {
                    let values = vec![value; count];
                    match run(lesson, &options(&[(*flag, &values)]), &machine) {
                        Ok(page) => {
                            assert_eq!(
                                page.diverged.is_some(),
                                overflows(&page),
                                "{} {flag:?} {values:?}",
                                lesson.id
                            );
                            told += usize::from(page.diverged.is_some());
                        }
                        Err(Error::Usage(_) | Error::Setting { .. }) => {}
                        Err(other) => panic!("lesson {} {flag:?} {values:?}: {other}", lesson.id),
                    }
                }
            }
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn lessons_of_networks_report_the_limit_too() {
    // With this seed the first derivative is above 1, so the first step overflows.
    let machine = Machine::plain();
    let settings: Given = &[
        (Setting::Alpha, &[3.4e38]),
        (Setting::Seed, &[OVERFLOWING_SEED as f32]),
        (Setting::Iterations, &[100.0]),
    ];
    let result = run(find("10").unwrap(), &options(settings), &machine);
    let sentence = match result {
        Ok(page) => page.diverged.expect("it fits"),
        Err(error) => error.to_string(),
    };
    // 3.4028e38 / 8 / (100 · 8/27 · 5.5)
    assert!(sentence.contains("it diverged") && sentence.contains("up to an alpha of 2.6"), "{sentence}");
    let sure = [(Setting::Alpha, [2.6e35f32].as_slice()), settings[1], settings[2]];
    assert!(teach("10", &sure, &machine).diverged.is_none());
    let settings: Given = &[(Setting::Alpha, &[3.4e38]), (Setting::Iterations, &[2.0])];
    let error = run(find("12").unwrap(), &options(settings), &machine).unwrap_err();
    assert!(matches!(error, Error::Diverged(_)), "{error:?}");
    let text = error.to_string();
    // The reported alphas do and don't overflow.
    let number = |before: &str| -> f32 {
        let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("{text}"));
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    let (works, fails) = (number("that were tried, "), number("does not overflow and "));
    let ends = |alpha: f32| {
        let settings: Given = &[(Setting::Alpha, &[alpha]), (Setting::Iterations, &[2.0])];
        run(find("12").unwrap(), &options(settings), &machine).is_ok()
    };
    assert!(ends(works) && !ends(fails), "{text}");
}

const OVERFLOWING_SEED: u64 = 12;

#[test]
fn zero_gradients_and_negative_alphas_are_remarked() {
    let remark = |lesson, settings: Given| {
        let page = teach(lesson, settings, &Machine::plain());
        assert!(page.diverged.is_none());
        let remarks = page.blocks.into_iter().filter_map(|block| match block {
            Block::Remark(text) => Some(text),
            _ => None,
        });
        remarks.collect::<Vec<_>>().join(" ")
    };
    for lesson in ["7", "7b"] {
        assert!(remark(lesson, &[(Setting::Input, &[0.0])]).contains("no gradient"));
        assert!(remark(lesson, &[(Setting::Alpha, &[-0.1])]).contains("climbs"));
        assert!(remark(lesson, &[(Setting::Alpha, &[0.0])]).contains("nothing moves"));
        assert_eq!(remark(lesson, &[]), "");
    }
    assert!(remark("7", &[(Setting::Alpha, &[23.0])]).contains("it diverges"));
    assert!(remark("9", &[(Setting::Alpha, &[-1.0])]).contains("climbs"));
    assert!(remark("5", &[(Setting::Input, &[0.0])]).contains("no weight has an effect"));
    assert!(remark("6", &[(Setting::Input, &[0.0])]).contains("no weight has an effect"));
}
