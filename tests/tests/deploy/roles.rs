//! Each role may do what it has to, and no more: on a real server with the deployment's own configuration.

use std::{fs, panic::AssertUnwindSafe, path::Path, time::Duration};

use futures::{FutureExt as _, StreamExt as _};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::timeout};
use tributary_protocol::{
    bus::{
        Bus as _, Entry, JobQueue as _, Kinds,
        nats::{Auth, NatsBus, NatsNames, NatsOptions},
    },
    task::Kind,
};
use tributary_tests::{
    conformance::{call, condensing, outcome, submitted},
    corpus::Corpus,
    nats_server::{self, NatsServer},
    probe::{Role, ask, free_port},
    process::{Tributary, wait_until},
};

use super::{
    programs::asked_of_the_environment,
    rendered::{PREFIX, file},
};

/// Longer than the test takes on a slow machine.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A server as deployed, but for its addresses and the place of its store.
struct Deployed {
    server: NatsServer,
    monitor: u16,
    /// Goes after the server.
    _store: TempDir,
}

impl Deployed {
    fn start() -> Self {
        let monitor = free_port();
        let asked = asked_of_the_environment(&["nats.conf", "accounts.conf"]);
        let mut more = String::new();
        for variable in asked {
            let value = if variable == "MAX_FILE_STORE" { "1GB".to_owned() } else { password(&variable) };
            more += &format!("{variable}: {value}\n");
        }
        for line in file("kubernetes/base/nats/nats.conf").lines() {
            more += &match line.trim().split([':', ' ']).next().unwrap_or_default() {
                // The test's server has its own.
                "listen" | "pid_file" | "store_dir" => continue,
                "http" => format!("http: \"127.0.0.1:{monitor}\"\n"),
                "include" => {
                    let name = line.trim().trim_start_matches("include ").trim_matches('"');
                    file(&format!("kubernetes/base/nats/{name}"))
                }
                _ => format!("{line}\n"),
            };
        }
        // This block comes after the server's own, and the later one counts.
        let store = tempfile::tempdir().unwrap();
        more = more.replace(
            "jetstream {\n",
            &format!("jetstream {{\n  store_dir: {:?}\n", store.path().display().to_string()),
        );
        let settings = nats_server::Settings { more, ..nats_server::Settings::default() };
        Self { server: NatsServer::start(settings).unwrap(), monitor, _store: store }
    }

    async fn connect(&self, role: &str) -> NatsBus {
        let auth =
            Auth::User { user: role.to_owned(), password: password(&format!("{}_PASSWORD", role.to_uppercase())) };
        let adjust = role == "coordinator";
        let outage = Duration::from_secs(10);
        let options = NatsOptions { url: self.server.url(), auth, adjust, outage, ..NatsOptions::default() };
        NatsBus::connect(options).await.unwrap_or_else(|error| panic!("{role}: {error}"))
    }

    /// What the server wrote of things that somebody wanted and wasn't allowed.
    fn violations(&self) -> Vec<String> {
        let log = self.server.store().parent().unwrap().join("nats.log");
        let log = fs::read_to_string(log).unwrap();
        log.lines().filter(|line| line.contains("Violation")).map(str::to_owned).collect()
    }

    /// The program with a role's login.
    fn program(&self, role: &str, folder: &Path) -> Tributary {
        let password = password(&format!("{}_PASSWORD", role.to_uppercase()));
        let auth = format!("{{ user = {{ user = {role:?}, password = {password:?} }} }}");
        let program = Tributary::in_folder(folder).env("TRIBUTARY_NATS_URL", &self.server.url());
        program.env("TRIBUTARY_NATS__AUTH", &auth)
    }
}

#[test]
fn programs_do_whole_jobs_with_their_roles_rights_and_have_the_metrics_that_are_looked_at() {
    let deployed = Deployed::start();
    let folder = tempfile::tempdir().unwrap();
    Corpus::new("Six Trades", 6, 200, 1).write(folder.path(), "corpus.jsonl");
    let [coordinator, worker] =
        ["coordinator", "worker"].map(|role| Role::start(deployed.program(role, folder.path()).args([role])));
    let submitter = |args: &[&str]| deployed.program("submitter", folder.path()).args(args).run().with(0);

    let submit = ["submit", "corpus.jsonl", "--model", "extractive"];
    let job = submitter(&submit).stdout.trim().to_owned();
    submitter(&["watch", &job, "--progress", "none"]);
    submitter(&["result", &job]);
    submitter(&[&submit[..], &["--fresh"]].concat());
    submitter(&["watch", &job, "--progress", "none"]);
    let other = submitter(&[&submit[..], &["--seed", "7"]].concat()).stdout.trim().to_owned();
    submitter(&["cancel", &other]);
    submitter(&["list"]);
    submitter(&["doctor", "--model", "extractive"]);
    let lag = || coordinator.metric("tributary_queue_lag", &[]);
    wait_until("the coordinator tells how many tasks are out", || lag().is_some_and(|tasks| tasks >= 0.0));
    assert_eq!(deployed.violations(), [""; 0]);

    let served = coordinator.get("/metrics") + &worker.get("/metrics");
    let looked_at =
        ["alarms.yaml", "dashboard.json"].map(|name| file(&format!("kubernetes/components/monitoring/{name}")));
    let mut names = 0;
    for text in &looked_at {
        for (at, _) in text.match_indices("tributary_") {
            let name = text[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
            let there = served.lines().any(|line| line.split(['{', ' ']).next() == Some(name));
            assert!(there, "no role has {name}");
            names += 1;
        }
    }
    assert!(names > 5, "{names} metrics are looked at");
}

fn password(variable: &str) -> String {
    format!("p4{}", variable.to_lowercase().replace('_', ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_all_that_it_has_to() {
    let deployed = Deployed::start();
    let done = AssertUnwindSafe(timeout(TOO_LONG, work(&deployed))).catch_unwind().await;
    // Where something failed, this is why.
    assert_eq!(deployed.violations(), [""; 0]);
    done.expect("all goes well").expect("nobody waits for ever");

    // What KEDA and the alarms look at.
    let account: serde_json::Value =
        serde_json::from_str(&ask(deployed.monitor, "/jsz?acc=TRIBUTARY&consumers=true&config=true").unwrap().1)
            .unwrap();
    let streams = account["account_details"][0]["stream_detail"].as_array().unwrap();
    let tasks = streams.iter().find(|stream| stream["name"] == NatsNames::new(PREFIX).unwrap().tasks()).unwrap();
    assert_eq!(tasks["consumer_detail"].as_array().unwrap().len(), Kind::all().count());
    assert_eq!(account["config"]["sync_always"], true, "{}", account["config"]);
}

/// A job's whole life, with all that is larger than a message in it.
async fn work(deployed: &Deployed) {
    let large = "x".repeat(3 << 20);
    let coordinator = deployed.connect("coordinator").await;
    let (submitter, worker) = (deployed.connect("submitter").await, deployed.connect("worker").await);

    let asked = submitted("A job");
    submitter.submit(&asked).await.unwrap();
    let claim = coordinator.claim().await.unwrap();
    assert_eq!(*claim.job, asked);
    claim.extend_lease().await.unwrap();
    coordinator.set_state(asked.id, "running".into()).await.unwrap();
    let mut watched = submitter.watch(asked.id).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap(), "running");

    let tasks = [condensing("a", 1, 100), condensing("a", 2, 3 << 20)];
    let job = tasks[0].job;
    let source = coordinator.put(job, large.clone().into()).await.unwrap();
    coordinator.publish_all(&tasks).await.unwrap();
    let mut journal = coordinator.journal(job).await.unwrap();
    for (n, text) in ["small", &large].into_iter().enumerate() {
        let delivery = worker.pull(&Kinds::all()).await.unwrap();
        assert_eq!(worker.get(job, source).await.unwrap().len(), large.len());
        let name = format!("call {n}");
        assert_eq!(worker.reply(call(&name)).await.unwrap(), None);
        worker.keep_reply(call(&name), text.to_owned().into()).await.unwrap();
        assert_eq!(worker.reply(call(&name)).await.unwrap().unwrap().len(), text.len());
        delivery.extend_lease().await.unwrap();
        worker.record(job, &outcome(&delivery.task, text)).await.unwrap();
        delivery.acknowledge().await.unwrap();
    }
    let mut outcomes = 0;
    while outcomes < tasks.len() {
        outcomes += usize::from(matches!(journal.next().await.unwrap().unwrap(), Entry::Outcome(_)));
    }

    for result in ["short", &large] {
        coordinator.keep_result(asked.id, 0, result.to_owned().into()).await.unwrap();
        assert_eq!(submitter.result(asked.id, 0).await.unwrap().unwrap().len(), result.len());
    }
    coordinator.clear(job).await.unwrap();
    claim.acknowledge().await.unwrap();
    assert_eq!(submitter.states().await.unwrap().len(), 1);

    submitter.cancel(asked.id).await.unwrap();
    coordinator.cancelled(asked.id).await.unwrap();
    coordinator.forget(asked.id).await.unwrap();
    // The same job anew, after all of it was removed.
    submitter.submit(&asked).await.unwrap();
    coordinator.claim().await.unwrap().acknowledge().await.unwrap();

    // One that a worker doesn't serve is left to the others.
    coordinator.publish(&tasks[0]).await.unwrap();
    worker.pull(&Kinds::all()).await.unwrap().requeue_uncounted(Duration::ZERO).await.unwrap();
    worker.pull(&Kinds::all()).await.unwrap().acknowledge().await.unwrap();

    // A task that was delivered too often is given up by who pulls it.
    coordinator.publish(&tasks[0]).await.unwrap();
    for _ in 0..NatsOptions::default().max_deliver {
        worker.pull(&Kinds::all()).await.unwrap().requeue_after(Duration::ZERO).await.unwrap();
    }
    let none = timeout(Duration::from_millis(500), worker.pull(&Kinds::all())).await;
    assert!(none.is_err(), "it is pulled again");
    let mut journal = coordinator.journal(job).await.unwrap();
    assert!(matches!(journal.next().await.unwrap().unwrap(), Entry::Outcome(_)), "its end is recorded");
    for bus in [&coordinator, &submitter, &worker] {
        bus.flush().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_do_what_is_anothers() {
    let deployed = Deployed::start();
    let _made = deployed.connect("coordinator").await;
    let names = NatsNames::new(PREFIX).unwrap();
    let task = names.all_tasks().replace('*', "x");
    let state = format!("$KV.{}.state.x", names.states());
    let job = names.all_jobs().replace('*', "x");
    let purge = format!("$JS.API.STREAM.PURGE.{}", names.journal());
    let pull = format!("$JS.API.CONSUMER.MSG.NEXT.{}.digest", names.tasks());
    let claim = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", names.jobs(), names.jobs_consumer());
    let results = format!("$JS.API.DIRECT.GET.OBJ_{}", names.results());
    let replies = format!("$JS.API.DIRECT.GET.KV_{0}.$KV.{0}.x", names.replies());
    let read = format!("$JS.API.CONSUMER.CREATE.{}", names.journal());
    let delete = format!("$JS.API.STREAM.DELETE.{}", names.tasks());
    let ended = names.all_journals().replace('*', "x");
    let refused = [
        ("coordinator", vec![&delete, &pull, &job]),
        ("worker", vec![&delete, &purge, &state, &job, &claim, &results, &read]),
        ("submitter", vec![&delete, &task, &ended, &pull, &claim, &replies, &read]),
    ];
    for (role, subjects) in refused {
        let (told, mut events) = mpsc::unbounded_channel();
        let client = async_nats::ConnectOptions::new()
            .user_and_password(role.to_owned(), password(&format!("{}_PASSWORD", role.to_uppercase())))
            .event_callback(move |event| {
                let _ = told.send(event.to_string());
                std::future::ready(())
            })
            .connect(deployed.server.url())
            .await
            .unwrap();
        for subject in subjects {
            client.publish(subject.clone(), "".into()).await.unwrap();
            client.flush().await.unwrap();
            let refused =
                async { while !events.recv().await.unwrap().to_lowercase().contains(&subject.to_lowercase()) {} };
            assert!(timeout(Duration::from_secs(10), refused).await.is_ok(), "a {role} may use {subject}");
        }
        let listening = client.subscribe(format!("{PREFIX}.>")).await;
        assert!(listening.is_ok());
        client.flush().await.unwrap();
        let refused = async { while !events.recv().await.unwrap().to_lowercase().contains("subscription") {} };
        assert!(timeout(Duration::from_secs(10), refused).await.is_ok(), "a {role} may listen to everything");
    }
}
