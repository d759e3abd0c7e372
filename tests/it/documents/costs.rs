//! The arithmetic of the document about costs, from the numbers that it prints.

use super::table::rows;
use super::{file, template_file};

const DOCUMENT: &str = "docs/costs.md";

/// The number at the beginning of a text, such as 43,200 of `43,200 LIST`.
fn number(text: &str) -> f64 {
    let text = text.trim_start_matches(['|', '*', ' ']);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(text.len());
    text[..end].replace(',', "").parse().unwrap_or_else(|_| panic!("{text} begins with no number"))
}

/// The value of `3 s × 0.2 / 1,000 + 1 GET × 0.4`.
fn value(arithmetic: &str) -> f64 {
    let product = |text: &str| {
        let mut quotients = text.split(" / ");
        let factors = quotients.next().unwrap().split(" × ").map(number).product::<f64>();
        quotients.map(number).fold(factors, |value, divisor| value / divisor)
    };
    arithmetic.split(" + ").map(product).sum()
}

fn dollars(value: f64) -> String {
    format!("{value:.2}")
}

/// The sum of a column that is `from_the_right`, without the last row.
fn sum(rows: &[Vec<String>], from_the_right: usize) -> f64 {
    rows[..rows.len() - 1].iter().map(|row| number(&row[row.len() - 1 - from_the_right])).sum()
}

fn total(rows: &[Vec<String>], from_the_right: usize) -> f64 {
    let last = rows.last().unwrap();
    assert_eq!(last[0], "**together**");
    number(&last[last.len() - 1 - from_the_right])
}

#[test]
fn rows_of_an_idle_month_are_their_products() {
    let rows = rows(DOCUMENT, "item | arithmetic");
    for row in &rows[..rows.len() - 1] {
        assert_eq!(dollars(value(&row[1])), row[2], "{row:?}");
    }
    assert_eq!(dollars(total(&rows, 0)), dollars(sum(&rows, 0)));
}

#[test]
fn idle_month_without_metrics_is_the_rest_of_its_rows() {
    let mut rows = rows(DOCUMENT, "item | arithmetic");
    rows.retain(|row| !["metrics", "alarms", "dashboard"].contains(&row[0].as_str()));
    let claim = format!("it is {}.", dollars(sum(&rows, 0)));
    assert!(file(DOCUMENT).contains(&claim), "{DOCUMENT} must say: {claim}");
}

#[test]
fn rows_of_jobs_are_their_products() {
    let rows = rows(DOCUMENT, "item | for a job");
    let idle = total(&super::table::rows(DOCUMENT, "item | arithmetic"), 0);
    for row in &rows[..rows.len() - 1] {
        let (few, many) = match row[0].as_str() {
            "an idle month" => (idle, idle),
            "metrics, a month" => (value(&row[1]), value(&row[1])),
            _ => (value(&row[1]) * 1_000.0, value(&row[1]) * 100_000.0),
        };
        assert_eq!([&row[2], &row[3]], [&dollars(few), &dollars(many)], "{row:?}");
    }
    for column in [0, 1] {
        assert_eq!(dollars(total(&rows, column)), dollars(sum(&rows, column)));
    }
}

#[test]
fn alarms_are_those_of_the_template() {
    let rows = rows(DOCUMENT, "item | arithmetic");
    let row = rows.iter().find(|row| row[0] == "alarms").unwrap();
    let alarms = template_file::resources("AWS::CloudWatch::Alarm");
    assert!(row[1].starts_with(&format!("{} × ", alarms.len())), "{DOCUMENT}: {row:?}");
}
