//! Formats numbers for people.

use std::time::Duration;

/// Formats a count: `940`, `12.3 k`, `1.11 M`.
pub fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => scaled(number as f64 / 1e3, "k"),
        1_000_000..1_000_000_000 => scaled(number as f64 / 1e6, "M"),
        _ => scaled(number as f64 / 1e9, "G"),
    }
}

/// Formats a number with three significant digits.
fn scaled(number: f64, unit: &str) -> String {
    let decimals = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.decimals$} {unit}")
}

/// Formats millionths of a US dollar: `$1.80`, or `$0.0042` if cents are too coarse.
pub fn money(micros: u64) -> String {
    let dollars = micros as f64 / 1e6;
    if micros > 0 && micros < 100_000 { format!("${dollars:.4}") } else { format!("${dollars:.2}") }
}

/// Formats a duration: `4.2s`, `45s`, `3m05s`, `2h07m`.
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Formats a count with a noun: `1 call`, `2 calls`.
pub fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_counts() {
        assert_eq!([940, 12_345, 1_110_000].map(count), ["940", "12.3 k", "1.11 M"]);
        assert_eq!([0, 4_200, 1_800_000].map(money), ["$0.00", "$0.0042", "$1.80"]);
        assert_eq!([4, 45, 185, 7_620].map(|s| time(Duration::from_secs(s))), ["4.0s", "45s", "3m05s", "2h07m"]);
    }
}
