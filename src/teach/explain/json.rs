//! An explanation as data.

use serde_json::{Map, Value as Json, json};

use super::page::{Difference, Line, Section, Terms, Value};
use super::source::{SourceExcerpt, sources};
use super::text::Subject;
use super::trace::Trace;

/// The explanation as one JSON object: what it is about, then a key per section.
pub fn json(trace: &Trace, subject: &Subject, sections: &[Section], with_source: bool) -> Json {
    let model = trace.model;
    let problem = trace.first_disagreement();
    let agrees = problem.is_none() && sections.iter().flat_map(Section::values).all(Value::agrees);
    let mut object = json!({
        "run": subject.run,
        "data": model.data,
        "data_changed": subject.data_changed,
        "part": subject.part,
        "sample": subject.sample,
        "label": trace.label,
        "class": model.classes[trace.label],
        "network": model.network.to_string(),
        "layer": subject.layer,
        "kind": model.network.layers[subject.layer].to_string(),
        "unit": subject.unit,
        "loss_name": model.loss.to_string(),
        "step": "next",
        "learning_rate": trace.settings.learning_rate,
        "optimiser": trace.optimiser().to_string(),
        "device": subject.device,
        "agrees": agrees,
        "problem": problem,
    });
    for section in sections {
        object[section.key] = section_json(section);
    }
    if with_source {
        let kernels = sections.iter().flat_map(Section::kernels);
        let mut all = Map::new();
        for kernel in kernels {
            let [wgsl, rust] = sources(kernel).map(|sources| sources.iter().map(source).collect::<Vec<_>>());
            all.insert(kernel.name.to_owned(), json!({ "wgsl": wgsl, "rust": rust }));
        }
        object["source"] = Json::Object(all);
    }
    object
}

fn source(source: &SourceExcerpt) -> Json {
    json!({ "path": source.path, "line": source.line, "text": source.text })
}

fn section_json(section: &Section) -> Json {
    let mut object = Map::new();
    for line in &section.lines {
        match line {
            // The keys say the same.
            Line::Note(_) => {}
            Line::Terms(terms) => {
                object.insert(terms.key.clone(), terms_json(terms));
            }
            Line::Value(value) if value.index.is_some() => {
                let list = object.entry(value.key.clone()).or_insert(json!([]));
                list.as_array_mut().expect("made as one").push(value_json(value));
            }
            Line::Value(value) => {
                object.insert(value.key.clone(), value_json(value));
            }
        }
    }
    Json::Object(object)
}

fn terms_json(terms: &Terms) -> Json {
    let keys = terms.columns.map(|column| column.replace('−', "minus").replace(' ', "_"));
    let rows = terms.rows.iter().map(|term| {
        let numbers = keys.iter().cloned().zip(term.numbers.map(Json::from));
        let index = ("index".to_owned(), json!(term.index));
        Json::Object([index].into_iter().chain(numbers).collect())
    });
    json!({
        "rows": rows.collect::<Vec<_>>(),
        "others": { "count": terms.others.count, "sum": terms.others.sum },
    })
}

fn value_json(value: &Value) -> Json {
    let from = if value.worked_out { "worked_out" } else { "device" };
    let mut object = json!({ from: value.number });
    if let Some(index) = value.index {
        object = json!({ "index": index, from: value.number });
    }
    if let Some(twin) = &value.twin {
        object["twin"] = json!(twin.element.truth);
        object["bound"] = json!(twin.element.bound);
        object["exact"] = json!(twin.exact);
        object["kernel"] = json!(twin.kernel.name);
        object["twin_agrees"] = json!(value.twin_agrees());
    }
    if let Some(difference) = value.difference {
        object["finite_difference"] = match difference {
            Difference::Finite { value, .. } => json!(value),
            Difference::Corner => Json::Null,
        };
        object["difference_agrees"] = json!(value.difference_agrees());
    }
    object
}
