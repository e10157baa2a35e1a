//! A cluster for tests: a real nats-server, a simulated model, and the roles as processes that come and go.

use std::{fs, path::Path};

use async_nats::jetstream;
use futures::TryStreamExt as _;
use tempfile::TempDir;
use tributary_coordinator::ingest::slug;

use crate::{
    article::Made,
    corpus::Corpus,
    nats_server::{self, NatsServer},
    process::{Ended, Running, Tributary},
    simulated::{self, SimulatedModel},
};

/// Settings with short times, so that a cluster notices failures quickly.
const QUICK: &str = "\
    [nats]\nack_wait = 4\nlease = 2\n[cluster]\nstate_every = 0.05\nsilence = 5\n";

/// The file name of the corpus.
pub const CORPUS: &str = "corpus.jsonl";

/// A test cluster: a folder with corpus and settings, a broker and a model. Tests start the roles.
pub struct Cluster {
    pub nats: NatsServer,
    pub model: SimulatedModel,
    /// The name of the article's files.
    slug: String,
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Cluster {
    pub fn new(corpus: &Corpus, model: simulated::Settings) -> Self {
        Self::with(nats_server::Settings::default(), corpus, model)
    }

    pub fn with(nats: nats_server::Settings, corpus: &Corpus, model: simulated::Settings) -> Self {
        Self::on(NatsServer::start(nats).expect("a nats-server starts"), corpus, model)
    }

    /// Creates a cluster on a running broker.
    pub fn on(nats: NatsServer, corpus: &Corpus, model: simulated::Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder is created");
        fs::write(folder.path().join("tributary.toml"), QUICK).expect("the settings are written");
        corpus.write(folder.path(), CORPUS);
        let (slug, model) = (slug(&corpus.title), SimulatedModel::start(model));
        Self { nats, model, slug, folder, environment: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sets an environment variable for all later commands.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Returns a command of the program with the addresses of the broker and the model.
    pub fn tributary(&self) -> Tributary {
        let tributary = Tributary::in_folder(self.path())
            .env("TRIBUTARY_NATS_URL", &self.nats.url())
            .env("OPENAI_BASE_URL", &self.model.base_url);
        self.environment.iter().fold(tributary, |tributary, (name, value)| tributary.env(name, value))
    }

    pub fn coordinator(&self) -> Running {
        self.tributary().args(["coordinator", "--listen", "off", "-v"]).start()
    }

    pub fn worker(&self, concurrency: usize) -> Running {
        self.tributary().args(["worker", "--listen", "off", "-v", "--concurrency", &concurrency.to_string()]).start()
    }

    /// Submits a corpus of the folder and returns the job's id.
    pub fn submit(&self, corpus: &str) -> String {
        let submit = self.tributary().args(["submit", corpus, "--model", "openai/simulated"]);
        let ended = submit.run().with(0);
        let id = ended.stdout.trim();
        assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "no job id: {ended}");
        id.to_owned()
    }

    /// Waits until a job has ended.
    pub fn watch(&self, job: &str) -> Ended {
        self.start_watch(job).wait()
    }

    pub fn start_watch(&self, job: &str) -> Running {
        self.tributary().args(["watch", job, "--progress", "lines"]).start()
    }

    /// Returns the status of a job, as printed by `status --json`.
    pub fn status(&self, job: &str) -> serde_json::Value {
        let ended = self.tributary().args(["status", job, "--json"]).run().with(0);
        serde_json::from_str(&ended.stdout).expect("the status is JSON")
    }

    /// Fetches the files of a finished job.
    pub fn result(&self, job: &str) -> Made {
        // The first digits of an id are enough.
        self.tributary().args(["result", &job[..8], "--out", "fetched"]).run().with(0);
        self.fetched()
    }

    /// Reads the files that `result` wrote to the folder `fetched`.
    pub fn fetched(&self) -> Made {
        Made::read(&self.path().join("fetched"), &self.slug)
    }

    /// Writes the corpus's article in one process, without a broker and with a separate model.
    pub fn alone(&self) -> Made {
        let model = SimulatedModel::start(simulated::Settings::default());
        Tributary::in_folder(self.path()).args(["run", CORPUS, "--out", "alone"]).asking(&model).run().with(0);
        Made::read(&self.path().join("alone"), &self.slug)
    }

    /// Returns the ids of the finished jobs.
    fn done(&self) -> Vec<String> {
        let listed = self.tributary().args(["list", "--json"]).run().with(0).stdout;
        let jobs = listed.lines().map(|line| serde_json::from_str(line).expect("a job is JSON"));
        let done = jobs.filter(|job: &serde_json::Value| job["status"] == "done");
        done.filter_map(|job| job["job"].as_str().map(str::to_owned)).collect()
    }

    /// Lists everything on the broker that belongs to single jobs: messages, consumers, object stores. The texts of
    /// finished jobs don't count, because results refer to them. The list is empty if nothing else is left.
    pub fn leftovers(&self) -> Vec<String> {
        let done = self.done();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let jetstream =
                jetstream::new(async_nats::connect(self.nats.url()).await.expect("NATS accepts the connection"));
            let mut left = Vec::new();
            let mut streams = jetstream.streams();
            while let Some(stream) = streams.try_next().await.expect("streams can be listed") {
                let (name, state) = (&stream.config.name, &stream.state);
                if let Some((_, job)) = name.split_once("-blobs-") {
                    if done.iter().any(|done| done == job) {
                        continue;
                    }
                    left.push(format!("the object store {name}"));
                } else if ["tasks", "journal", "jobs", "dead"].iter().any(|kept| name.ends_with(&format!("-{kept}")))
                    && state.messages > 0
                {
                    left.push(format!("{} messages in {name}", state.messages));
                }
                if name.ends_with("-journal") && state.consumer_count > 0 {
                    left.push(format!("{} consumers of {name}", state.consumer_count));
                }
            }
            left
        })
    }
}
