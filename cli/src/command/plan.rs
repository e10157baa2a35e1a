//! `tributary plan`: what a run would cost, stage by stage, before anything is spent.

use anyhow::anyhow;
use tributary_protocol::task::Stage;

use super::load;
use crate::{
    args::PlanArgs,
    exit::{Exit, Failure},
    settings::Config,
    terminal::Terminal,
    units,
};

/// Prints a table a survey on stdout.
pub fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.settings)?;
    for forecast in forecasts(args, &loaded.config)? {
        terminal.print(table(&forecast));
    }
    Ok(Exit::Done)
}

/// What a job would ask for.
struct Forecast {
    title: String,
    sources: u64,
    stages: Vec<StageForecast>,
}

struct StageForecast {
    stage: Stage,
    calls: u64,
    prompt_tokens: u64,
    reply_tokens: u64,
    /// None where a model of the stage has no price.
    cost_micros: Option<u64>,
}

/// The join: reads the inputs and lets the coordinator count what each survey would ask for.
fn forecasts(_args: &PlanArgs, _config: &Config) -> Result<Vec<Forecast>, Failure> {
    Err(anyhow!("this build has no coordinator yet: it can't plan").into())
}

fn table(forecast: &Forecast) -> String {
    let mut lines = vec![
        format!("{} ({})", forecast.title, units::plural(forecast.sources, "source")),
        row(["stage", "calls", "prompt tokens", "reply tokens", "cost"].map(str::to_owned)),
    ];
    lines.extend(forecast.stages.iter().map(|stage| stage.row(stage.stage.name())));
    let sum = |number: fn(&StageForecast) -> u64| forecast.stages.iter().map(number).sum();
    let all = StageForecast {
        stage: Stage::Write,
        calls: sum(|stage| stage.calls),
        prompt_tokens: sum(|stage| stage.prompt_tokens),
        reply_tokens: sum(|stage| stage.reply_tokens),
        cost_micros: forecast.stages.iter().map(|stage| stage.cost_micros).sum(),
    };
    lines.push(all.row("all"));
    lines.join("\n")
}

impl StageForecast {
    fn row(&self, name: &str) -> String {
        row([
            name.to_owned(),
            units::count(self.calls),
            units::count(self.prompt_tokens),
            units::count(self.reply_tokens),
            self.cost_micros.map_or_else(|| "no price".to_owned(), units::money),
        ])
    }
}

fn row([stage, calls, prompt, reply, cost]: [String; 5]) -> String {
    format!("{stage:<12} {calls:>9} {prompt:>14} {reply:>14} {cost:>10}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up_and_says_where_a_price_is_missing() {
        let stage = |stage, cost_micros| StageForecast {
            stage,
            calls: 20,
            prompt_tokens: 4_000,
            reply_tokens: 300,
            cost_micros,
        };
        let mut forecast = Forecast {
            title: "Rust".into(),
            sources: 20,
            stages: vec![stage(Stage::Digest, Some(500_000)), stage(Stage::Write, Some(250_000))],
        };
        let last = |forecast: &Forecast| {
            table(forecast).lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(last(&forecast), "all 40 8.00 k 600 $0.75");
        forecast.stages[0].cost_micros = None;
        assert!(last(&forecast).ends_with("no price"));
    }
}
