//! The pipeline as `tributary ask` runs it, in this process and on a state of its own for every question.

use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{sync::watch, task::spawn_blocking};
use tributary_coordinator::{
    actor::{Coordinator, Options},
    answer::AnswerTemplate,
    artifact::FolderSink,
    prepare::{self, InputNotes, PreparedJob},
};
use tributary_protocol::{
    answer::AnswerSettings,
    budget::Window,
    bus::{
        Bus, Kinds,
        local::{LocalBus, LocalOptions},
    },
    job::Progress,
    settings::{self, JobSettings, Language},
    task::Usage,
};
use tributary_worker::{
    model::{Endpoints, LanguageModel, Secret},
    perform::{ConnectedModel, ModelPrice, ModelRegistry, Performer, ReasoningRoom, RetryPatience},
    pool::{Pool, PoolOptions},
    throttle::{LocalThrottle, RateLimits},
};

use crate::literal::{self, LiteralReader};

/// How long calls that are under way may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// A question and the one text that it is asked of.
pub struct Asked<'a> {
    pub text: &'a str,
    pub question: String,
    pub language: Language,
}

/// The model that is asked, its window, and the calls at a time.
#[derive(Clone)]
pub struct Reader {
    pub model: String,
    pub window: u32,
    pub concurrency: usize,
}

/// What came of a question.
pub struct Told {
    pub answer: String,
    /// Tokens of the text.
    pub tokens: u64,
    pub usage: Usage,
    pub took: Duration,
}

#[derive(Deserialize)]
struct AnswerFile {
    answer: String,
}

impl Reader {
    /// Asks, from the text's reading to the answer's file.
    ///
    /// # Errors
    ///
    /// Those of reading, of the bus and of the model, with what was under way.
    pub async fn ask(&self, asked: &Asked<'_>) -> Result<Told> {
        let began = Instant::now();
        let folder = TempDir::new().context("no folder can be made for the text and the state")?;
        let prepared = self.prepare(asked, folder.path()).await?;
        let bus = LocalBus::open(&folder.path().join("state"), LocalOptions::default())?;
        let bus: Arc<dyn Bus> = Arc::new(bus);
        let performer = Arc::new(Performer::new(bus.clone(), self.models(), RetryPatience::default()));
        let options = PoolOptions { concurrency: self.concurrency, kinds: Kinds::all() };
        let pool = Pool::start(bus.clone(), performer, options).await?;
        let coordinator = Coordinator::start(bus.clone(), Options::default(), None).await?;
        let told = answer(&*bus, &coordinator, &prepared, folder.path(), began).await;
        coordinator.stop().await;
        pool.drain(GRACE).await;
        told
    }

    async fn prepare(&self, asked: &Asked<'_>, folder: &Path) -> Result<PreparedJob> {
        let path = folder.join("context.txt");
        fs::write(&path, asked.text).with_context(|| format!("{}: the text can't be written", path.display()))?;
        let template = AnswerTemplate { question: asked.question.clone(), settings: AnswerSettings::default() };
        let settings = JobSettings {
            language: asked.language,
            window: Window(self.window),
            models: settings::Models { default: self.model.clone(), ..settings::Models::default() },
        };
        let prepared =
            spawn_blocking(move || prepare::prepare(&[path], Some("context"), &template, &settings, 0)).await??;
        prepared.jobs.into_iter().next().context("the text is empty: there is nothing to ask of it")
    }

    /// The models of this reader: the simulated one, or those behind the servers that the environment names.
    fn models(&self) -> ModelRegistry {
        if self.model != literal::NAME {
            let endpoints = Endpoints {
                openai_base: env::var("OPENAI_BASE_URL").ok(),
                openai_key: env::var("OPENAI_API_KEY").ok().map(Secret::from),
                ..Endpoints::default()
            };
            return ModelRegistry::over_http(endpoints, RateLimits::default(), Default::default());
        }
        ModelRegistry::new(|_| {
            Ok(ConnectedModel {
                model: Arc::new(LiteralReader) as Arc<dyn LanguageModel>,
                throttle: Arc::new(LocalThrottle::new(RateLimits::default())),
                price: ModelPrice::default(),
                reasoning_room: ReasoningRoom::default(),
            })
        })
    }
}

async fn answer(
    bus: &dyn Bus,
    coordinator: &Coordinator,
    prepared: &PreparedJob,
    folder: &Path,
    began: Instant,
) -> Result<Told> {
    let job = &prepared.job;
    prepared.store(bus).await.context("the text can't be stored")?;
    let (progress, _watched) = watch::channel(Progress::default());
    let machine = coordinator.run(job.clone(), progress).await?.machine;
    let mut sink = FolderSink::new(bus, job.id, folder, "needle");
    machine.make_result(bus, InputNotes::default(), began.elapsed(), &mut sink).await?;
    let files = sink.into_files();
    let file = files.iter().find(|file| file.ends_with("needle.answer.json")).context("the job has left no answer")?;
    let AnswerFile { answer } = serde_json::from_slice(&fs::read(file)?)?;
    Ok(Told { answer, tokens: prepared.tokens(), usage: machine.progress().usage(), took: began.elapsed() })
}
