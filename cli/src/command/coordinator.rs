//! `tributary coordinator`: runs jobs of a cluster.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tributary_coordinator::service::{self, ServiceFigures};

use super::{cluster, load};
use crate::{
    args::CoordinatorArgs,
    exit::{Exit, Failure},
    http::{self, Address, Health},
    interrupt::Interrupt,
    settings::Config,
    terminal::Terminal,
};

pub fn run(args: &CoordinatorArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.role.settings.settings())?;
    let listen = http::address(&args.role, &loaded)?;
    let mut config = loaded.config;
    if let Some(jobs) = args.jobs {
        config.execution.cluster.jobs = jobs as usize;
    }
    cluster::runtime()?.block_on(in_runtime(config, listen, terminal))
}

async fn in_runtime(config: Config, listen: Option<Address>, terminal: &Terminal) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen(terminal);
    let health = Health::default();
    let served = http::serve(listen.as_ref(), health.clone(), terminal).await?;
    let Some(bus) = interrupt.unless(cluster::connect_in_time(&config, "coordinator")).await.transpose()? else {
        return Ok(Exit::Done);
    };
    let connection = bus.clone();
    health.ready_while(move || connection.is_connected());
    terminal.say(format!("coordinator: waiting for jobs at {}", config.execution.nats.place()));
    let figures = Arc::new(ServiceFigures::default());
    let shown = [http::show(http::of_coordinator(figures.clone())), http::show_lag(bus.clone())];
    let options = config.execution.cluster.service();
    let serving = service::serve(bus.clone(), options, figures, async {
        interrupt.wait().await;
        health.stopping();
    });
    // Without NATS, no job can be released. The leases of the jobs then expire.
    let out_of_time = async {
        interrupt.wait().await;
        tokio::time::sleep(config.execution.cluster.grace()).await;
    };
    tokio::select! {
        ended = serving => ended.map_err(anyhow::Error::from)?,
        () = out_of_time => tracing::warn!("failed to release the jobs in time; their leases will expire"),
    }
    shown.iter().for_each(JoinHandle::abort);
    served.abort();
    if let Err(error) = bus.flush().await {
        tracing::warn!(%error, "failed to flush to NATS before exit; held jobs will be redelivered");
    }
    Ok(Exit::Done)
}
