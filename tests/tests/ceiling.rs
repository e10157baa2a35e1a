//! A provider's limits hold over all workers of a deployment, whose words go through a real nats-server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};
use tributary_protocol::bus::nats::{NatsBus, NatsOptions};
use tributary_tests::{
    nats_server::{self, NatsServer},
    simulated::{Settings, SimulatedModel},
};
use tributary_worker::{
    model::{ChatMessage, Endpoints, ModelCall, ModelError, ReplySchema},
    perform::{ModelRegistry, ServedModel},
    throttle::{CallOutcome, RateLimits},
};

const WORKERS: usize = 8;
const IN_FLIGHT: usize = 16;
const REQUESTS: usize = 600;

/// Tokens that a call is estimated to take.
const TOKENS: u64 = 1000;

fn call(text: &str) -> ModelCall {
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "word": { "type": "string" } },
        "required": ["word"],
    });
    ModelCall {
        messages: vec![ChatMessage::user(format!("Say a word about {text}."))],
        schema: ReplySchema { name: "word".into(), schema },
        max_reply_tokens: 50,
        temperature: 0.0,
        seed: None,
    }
}

fn models(base: &str, bus: NatsBus) -> ModelRegistry {
    let endpoints = Endpoints { openai_base: Some(base.to_owned()), ..Endpoints::default() };
    let limits = RateLimits {
        in_flight: Some(IN_FLIGHT as u32),
        requests_per_minute: Some(REQUESTS as u32),
        tokens_per_minute: None,
    };
    ModelRegistry::over_http_shared(endpoints, limits, [].into(), Arc::new(bus))
}

/// Asks the model time and again, from more tasks at once than the whole ceiling, until told to stop.
fn ask(worker: usize, served: &ServedModel, stop: &Arc<AtomicBool>, asking: &mut JoinSet<()>) {
    let ServedModel::Model(model) = served else { panic!("it is a model") };
    for slot in 0..IN_FLIGHT + 4 {
        let (model, stop) = (model.clone(), stop.clone());
        asking.spawn(async move {
            for turn in 0.. {
                let permit = model.throttle.admit(TOKENS).await;
                if stop.load(Relaxed) {
                    return;
                }
                let result = model.model.complete(&call(&format!("{worker} {slot} {turn}"))).await;
                permit.done(match &result {
                    Err(ModelError::RateLimited { retry_after, .. }) => {
                        CallOutcome::RateLimited { retry_after: *retry_after }
                    }
                    Err(error) => panic!("{error}"),
                    Ok(_) => CallOutcome::Ok,
                });
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_holds_over_eight_workers_that_come_one_after_the_other() {
    let server = NatsServer::start(nats_server::Settings::default()).unwrap();
    let provider = SimulatedModel::start(Settings {
        latency_mean: 0.3,
        max_in_flight: Some(IN_FLIGHT),
        requests_per_minute: Some(REQUESTS),
        ..Settings::default()
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (mut asking, mut workers) = (JoinSet::new(), Vec::new());
    for worker in 0..WORKERS {
        let options = NatsOptions { url: server.url(), ..NatsOptions::default() };
        let models = models(&provider.base_url, NatsBus::connect(options).await.unwrap());
        ask(worker, &models.get("openai/simulated").unwrap(), &stop, &mut asking);
        workers.push(models);
        sleep(Duration::from_millis(700)).await;
    }
    let begun = Instant::now();
    while provider.stats().received < REQUESTS as u64 && begun.elapsed() < Duration::from_secs(40) {
        sleep(Duration::from_millis(200)).await;
    }
    // The minute is used up: nobody asks for more.
    sleep(Duration::from_secs(4)).await;
    let stats = provider.stats();
    assert_eq!(stats.rate_limited, 0, "{stats:?}");
    assert!(stats.max_in_flight <= IN_FLIGHT as u64, "{stats:?}");
    assert_eq!(stats.max_in_flight, IN_FLIGHT as u64, "all of it is used: {stats:?}");
    assert_eq!(stats.received, REQUESTS as u64, "all of it is used: {stats:?}");
    stop.store(true, Relaxed);
    asking.shutdown().await;
}
