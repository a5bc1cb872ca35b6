//! Checks that the numbers of an explanation follow from each other.

use serde_json::Value;

/// Sums of a few hundred terms in f64, in another order than the twin's.
const ROUNDING: f64 = 1e-11;
/// A finite difference in f64, relative to the gradient and absolute.
const DIFFERENCE: (f64, f64) = (1e-6, 2e-9);

fn number(object: &Value, path: &str) -> Result<f64, String> {
    object.pointer(path).and_then(Value::as_f64).ok_or_else(|| format!("no number {path}"))
}

fn same(what: &str, got: f64, wanted: f64) -> Result<(), String> {
    let close = (got - wanted).abs() <= ROUNDING * wanted.abs().max(1.0);
    if close { Ok(()) } else { Err(format!("{what} is {got}, and follows as {wanted}")) }
}

/// Checks that the numbers of an explanation as JSON follow from each other.
pub fn check(object: &Value) -> Result<(), String> {
    if object["agrees"] != true {
        return Err(format!("it says itself that something is wrong: {}", object["problem"]));
    }
    let mut found = 0;
    compared(object, "", &mut found)?;
    if found == 0 {
        return Err("no number is compared with a twin".to_owned());
    }
    sums(object)?;
    if object["kind"].as_str().is_some_and(|kind| kind.starts_with("dense")) {
        dense(object)?;
    }
    if let Some(backward) = object.get("backward") {
        derivatives(backward)?;
    }
    if object.pointer("/backward/loss_gradient").is_some() {
        loss(object)?;
    }
    Ok(())
}

/// Every number beside its twin's, and every gradient beside its finite difference.
fn compared(object: &Value, path: &str, found: &mut usize) -> Result<(), String> {
    if let Some(items) = object.as_array() {
        for (at, item) in items.iter().enumerate() {
            compared(item, &format!("{path}/{at}"), found)?;
        }
    }
    let Some(members) = object.as_object() else { return Ok(()) };
    if members.contains_key("twin") {
        *found += 1;
        let [device, twin, bound] =
            ["device", "twin", "bound"].map(|key| members[key].as_f64().unwrap_or(f64::NAN));
        let agrees = (device - twin).abs() <= bound && members["twin_agrees"] == true;
        if !agrees {
            return Err(format!("{path} is {device}, the twin says {twin} ± {bound}"));
        }
    }
    if let Some(difference) = members.get("finite_difference").filter(|difference| !difference.is_null()) {
        let (difference, exact) = (difference.as_f64().unwrap_or(f64::NAN), number(object, "/exact")?);
        let agrees = (difference - exact).abs() <= DIFFERENCE.0 * exact.abs() + DIFFERENCE.1;
        if !agrees || members["difference_agrees"] != true {
            return Err(format!("{path} is {exact} in f64, and the finite difference is {difference}"));
        }
    }
    members.iter().try_for_each(|(key, member)| compared(member, &format!("{path}/{key}"), found))
}

/// Every table: the third column follows from the others and adds up to the line behind.
fn sums(object: &Value) -> Result<(), String> {
    for section in ["forward", "backward"] {
        let Some(members) = object[section].as_object() else { continue };
        for (key, terms) in members.iter().filter(|(_, member)| member.get("rows").is_some()) {
            let mut sum = number(terms, "/others/sum")?;
            for row in terms["rows"].as_array().ok_or("rows are no list")? {
                let numbers: Vec<f64> =
                    row.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_f64()).collect();
                let [_, a, b, c] = numbers[..] else { return Err(format!("{key} has a row {row}")) };
                same(key, c, if key == "row" { b.exp() } else { a * b })?;
                sum += c;
            }
            let total = match key.as_str() {
                "row" => "sum".to_owned(),
                "terms" => "sum_of_products".to_owned(),
                key => format!("sum_of_{key}"),
            };
            same(&total, number(&members[&total], "/worked_out")?, sum)?;
        }
    }
    Ok(())
}

/// Σ input × weight + bias, delta × input, weight − learning rate × velocity.
fn dense(object: &Value) -> Result<(), String> {
    let at = |path: &str| number(object, path);
    let (bias, delta, rate) =
        (at("/forward/bias/device")?, at("/backward/delta/device")?, at("/learning_rate")?);
    same(
        "weighted_sum",
        at("/forward/weighted_sum/twin")?,
        at("/forward/sum_of_products/worked_out")? + bias,
    )?;
    same("bias_delta", at("/backward/bias_delta/twin")?, delta)?;
    same("bias_velocity", at("/update/bias_velocity/twin")?, at("/backward/bias_delta/device")?)?;
    same("new_bias", at("/update/new_bias/twin")?, bias - rate * at("/backward/bias_delta/device")?)?;
    let rows = object["forward"]["terms"]["rows"].as_array().ok_or("no terms")?;
    for (row, term) in rows.iter().enumerate() {
        let (input, weight) = (number(term, "/input")?, number(term, "/weight")?);
        let of = |section: &str, key: &str, what: &str| at(&format!("/{section}/{key}/{row}/{what}"));
        same("index", of("backward", "weight_delta", "index")?, number(term, "/index")?)?;
        same("weight_delta", of("backward", "weight_delta", "twin")?, delta * input)?;
        let weight_delta = of("backward", "weight_delta", "device")?;
        same("velocity", of("update", "velocity", "twin")?, weight_delta)?;
        same("new_weight", of("update", "new_weight", "twin")?, weight - rate * weight_delta)?;
    }
    Ok(())
}

/// The gradient at x of an activation is the gradient at y times the derivative.
fn derivatives(backward: &Value) -> Result<(), String> {
    let members: Vec<(&String, &Value)> = backward.as_object().into_iter().flatten().collect();
    for (at, (key, derivative)) in members.iter().enumerate() {
        let Some(layer) = key.strip_prefix("derivative_") else { continue };
        let wanted = number(backward, &format!("/dy_{layer}/device"))? * number(derivative, "/worked_out")?;
        // The next value of the section is the gradient at x.
        if let Some((key, next)) = members.get(at + 1) {
            // The derivative is computed in f64 from a rounded y: the kernel's bound covers it.
            let (twin, bound) = (number(next, "/twin")?, number(next, "/bound")?);
            if (twin - wanted).abs() > bound + ROUNDING {
                return Err(format!("{key} is {twin}, and follows as {wanted}"));
            }
        }
    }
    Ok(())
}

/// The gradient at the network's output, from the prediction and the target.
fn loss(object: &Value) -> Result<(), String> {
    let at = |path: &str| number(object, path);
    let key = if object["backward"].get("probability").is_some() { "probability" } else { "prediction" };
    let difference = at(&format!("/backward/{key}/worked_out"))? - at("/backward/target/worked_out")?;
    let gradient = at("/backward/loss_gradient/twin")?;
    // Mean over the outputs, of which these networks have three, or one.
    let factors: &[f64] = match object["loss_name"].as_str() {
        Some("cross-entropy" | "squared-error") => &[1.0],
        Some("bce") => &[1.0 / 3.0, 1.0],
        Some("mse") => &[2.0 / 3.0, 2.0],
        other => return Err(format!("a loss {other:?} that this test does not know")),
    };
    // The kernel has its factor in f32, which its bound covers.
    let bound = at("/backward/loss_gradient/bound")? + ROUNDING;
    let follows = factors.iter().any(|factor| (gradient - factor * difference).abs() <= bound);
    if !follows {
        return Err(format!("the loss's gradient is {gradient} for a difference of {difference}"));
    }
    // The first gradient behind the loss is the kernel's own.
    let members = object["backward"].as_object().into_iter().flatten();
    let kernel = members
        .skip_while(|(key, _)| *key != "loss_gradient")
        .find(|(_, member)| member.get("bound").is_some());
    if let Some((key, value)) = kernel {
        let (twin, bound) = (number(value, "/twin")?, number(value, "/bound")?);
        if (twin - gradient).abs() > bound + ROUNDING {
            return Err(format!("{key} is {twin}, the loss says {gradient}"));
        }
    }
    if object.pointer("/loss/loss").is_some() {
        let path = format!("/{key}/worked_out");
        same(key, number(&object["loss"], &path)?, number(&object["backward"], &path)?)?;
    }
    Ok(())
}
