//! `tributary plan`: estimates the cost of a run by stage, without spending anything.

mod forecast;

use tributary_protocol::settings::Models;

use self::forecast::{Forecast, StageForecast};
use super::{load, read_inputs, say_problems, template};
use crate::{
    args::PlanArgs,
    exit::{Exit, Failure},
    terminal::Terminal,
    units,
};

/// Prints one table per survey on stdout.
pub fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings)?.config;
    let execution = &config.execution;
    let template = template(args.question.as_deref(), &config)?;
    let inputs = args.inputs.clone().titled(args.question.as_deref());
    let prepared = read_inputs(&inputs, &*template, &config)?;
    say_problems(&prepared.problems, terminal);
    for job in &prepared.jobs {
        terminal.print(table(&Forecast::of(job, &execution.prices)?));
    }
    if config.models().contains(Models::EXTRACTIVE) {
        terminal.say("the extractive model makes no calls; its tasks are not counted");
    }
    Ok(Exit::Done)
}

fn table(forecast: &Forecast) -> String {
    let mut lines = vec![
        format!(
            "{} ({}, {} tokens)",
            forecast.title,
            units::plural(forecast.sources, "source"),
            units::count(forecast.tokens)
        ),
        row(["stage", "calls", "prompt tokens", "reply tokens", "cost"].map(str::to_owned)),
    ];
    lines.extend(forecast.stages.iter().map(|(stage, forecast)| stage_row(stage.name(), forecast)));
    lines.push(stage_row("all", &forecast.total()));
    lines.join("\n")
}

fn stage_row(name: &str, forecast: &StageForecast) -> String {
    let cost = match forecast.cost_micros {
        Some(micros) => units::money(micros),
        None => "no price".to_owned(),
    };
    row([
        name.to_owned(),
        units::count(forecast.calls),
        units::count(forecast.prompt_tokens),
        units::count(forecast.reply_tokens),
        cost,
    ])
}

fn row([stage, calls, prompt, reply, cost]: [String; 5]) -> String {
    format!("{stage:<12} {calls:>9} {prompt:>14} {reply:>14} {cost:>10}")
}

#[cfg(test)]
mod tests {
    use tributary_protocol::survey::SurveyStage;

    use super::*;

    #[test]
    fn the_table_adds_up_and_says_where_a_price_is_missing() {
        let stage = |cost_micros| StageForecast { calls: 20, prompt_tokens: 4_000, reply_tokens: 300, cost_micros };
        let mut forecast = Forecast {
            title: "Rust".into(),
            sources: 20,
            tokens: 90_000,
            stages: [
                (SurveyStage::Digest.into(), stage(Some(500_000))),
                (SurveyStage::Write.into(), stage(Some(250_000))),
            ]
            .into(),
        };
        let last = |forecast: &Forecast| {
            let table = table(forecast);
            table.lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(last(&forecast), "all 40 8.00 k 600 $0.75");
        forecast.stages.insert(SurveyStage::Digest.into(), stage(None));
        assert!(last(&forecast).ends_with("no price"));
    }
}
