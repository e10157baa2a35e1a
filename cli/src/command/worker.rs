//! `tributary worker`: performs tasks of a cluster's jobs.

use std::sync::Arc;

use tributary_protocol::{bus::Kinds, process, roster::Announcement, task::Kind};
use tributary_worker::{
    perform::{ModelFilter, Peers, Perform, Performer, RetryPatience},
    pool::{Pool, PoolOptions},
    roster,
};

use super::{cluster, load};
use crate::{
    args::WorkerArgs,
    exit::{Exit, Failure, OrExit},
    http::{self, Address, Health},
    interrupt::Interrupt,
    settings::Config,
    terminal::Terminal,
};

pub fn run(args: &WorkerArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut settings = args.role.settings.settings();
    settings.concurrency = args.concurrency;
    let loaded = load(&settings)?;
    let listen = http::address(&args.role, &loaded)?;
    let runtime = cluster::runtime()?;
    let end = runtime.block_on(in_runtime(args, loaded.config, listen, terminal));
    // The exit doesn't wait for abandoned calls.
    runtime.shutdown_background();
    end
}

async fn in_runtime(
    args: &WorkerArgs,
    config: Config,
    listen: Option<Address>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen(terminal);
    let health = Health::default();
    let served = http::serve(listen.as_ref(), health.clone(), terminal).await?;
    let Some(bus) = interrupt.unless(cluster::connect_in_time(&config, "worker")).await.transpose()? else {
        return Ok(Exit::Done);
    };
    let models = config.connect_with_others(bus.clone()).or_exit(Exit::BadInput)?;
    for model in &args.model {
        models.get(model).map_err(anyhow::Error::msg).or_exit(Exit::BadInput)?;
    }
    // Many workers may start during an outage of the model. None of them has seen an answer, so the first answer gets
    // as much time as an outage.
    let patience = RetryPatience { first_answer: config.patience().outage, ..config.patience() };
    let kinds = Kinds::only(args.only.iter().copied()).unwrap_or_else(Kinds::all);
    let peers = Arc::new(Peers::new(process::name(), kinds.clone(), bus.clone()));
    let performer = Arc::new(Performer::new(bus.clone(), models, patience).among(peers.clone()));
    let performer: Arc<dyn Perform> = ModelFilter::of(&args.model, performer);
    let _listener = peers.listen(performer.clone());
    let concurrency = config.worker_concurrency();
    let options = PoolOptions { concurrency: concurrency as usize, kinds };
    let pool = Arc::new(Pool::start(bus.clone(), performer, options).await.map_err(anyhow::Error::from)?);
    let announced = roster::announce(announcement(args), bus.clone());
    let connection = bus.clone();
    health.ready_while(move || connection.is_connected() && !peers.is_unfit());
    let shown = http::show(http::of_worker(pool.clone(), concurrency));
    terminal.say(format!("worker: {concurrency} tasks at a time from {}", config.execution.nats.place()));
    interrupt.wait().await;
    health.stopping();
    announced.abort();
    shown.abort();
    let _ = shown.await;
    if let Some(pool) = Arc::into_inner(pool)
        && !pool.drain(config.execution.cluster.grace()).await
    {
        terminal.say("worker: tasks that could not finish in time are requeued");
    }
    served.abort();
    if let Err(error) = bus.flush().await {
        tracing::warn!(%error, "failed to flush to NATS before exit; unacknowledged tasks will be redelivered");
    }
    Ok(Exit::Done)
}

/// Returns the announcement of the served models and kinds to coordinators.
fn announcement(args: &WorkerArgs) -> Announcement {
    let kinds = args.only.iter().map(|kind: &Kind| kind.name().to_owned()).collect();
    Announcement { worker: process::name(), models: args.model.clone(), kinds }
}
