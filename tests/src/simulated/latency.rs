//! Draws the latencies of calls.

use super::settings::Settings;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Draws the log-normal latency of an attempt at a call.
pub fn draw(settings: &Settings, rng: &mut ChaCha8Rng) -> Duration {
    let normal = standard_normal(rng);
    if settings.latency_mean <= 0.0 {
        return Duration::ZERO;
    }
    let sigma = settings.latency_sigma;
    let seconds = (settings.latency_mean.ln() - sigma * sigma / 2.0 + sigma * normal).exp();
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Returns the extra time for writing a reply of `tokens` tokens.
pub fn of_tokens(settings: &Settings, tokens: usize) -> Duration {
    Duration::try_from_secs_f64(settings.latency_per_token * tokens as f64).unwrap_or_default()
}

/// Draws from the standard normal distribution, by Box and Muller.
fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_mean_is_the_mean() {
        let settings = Settings { latency_mean: 2.0, latency_sigma: 0.5, ..Settings::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let total: f64 = (0..20_000).map(|_| draw(&settings, &mut rng).as_secs_f64()).sum();
        assert!((total / 20_000.0 - 2.0).abs() < 0.05);
    }
}
