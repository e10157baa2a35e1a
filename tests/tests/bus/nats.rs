//! The bus on a real nats-server.

use std::{fs, mem, path::Path, sync::Arc, time::Duration};

use async_nats::jetstream::{self, stream};
use data_encoding::BASE64URL_NOPAD;
use futures::{StreamExt as _, TryStreamExt as _};
use nkeys::KeyPair;
use tokio::time::timeout;
use tributary_coordinator::service::{self, Resumed, State, Status};
use tributary_protocol::{
    bus::{
        Bus, BusError, BusProblem, Entry, Gossip, JobQueue, Kinds,
        nats::{Auth, NatsBus, NatsNames, NatsOptions, Tls},
    },
    id::BlobId,
    survey::SurveyKind,
    task::Verdict,
    wire,
};
use tributary_tests::{
    conformance::{Bench, call, condensing, job, next, outcome, read, submitted, task},
    for_each_behaviour,
    nats_server::{NatsServer, Settings},
    old_nats_server::{self, OldNatsServer},
};

struct Nats(NatsServer);

fn bench() -> Nats {
    server("")
}

/// A server with more lines of configuration.
fn server(more: &str) -> Nats {
    Nats(NatsServer::start(Settings { more: more.into(), ..Settings::default() }).unwrap())
}

impl Nats {
    fn options(&self) -> NatsOptions {
        NatsOptions { url: self.0.url(), ..NatsOptions::default() }
    }

    async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.0.url()).await.unwrap())
    }
}

impl Bench for Nats {
    async fn open(&self) -> Arc<dyn Bus> {
        Arc::new(NatsBus::connect(self.options()).await.unwrap())
    }

    async fn open_jobs(&self) -> Arc<dyn JobQueue> {
        Arc::new(NatsBus::connect(self.options()).await.unwrap())
    }

    async fn open_gossip(&self) -> Arc<dyn Gossip> {
        Arc::new(NatsBus::connect(self.options()).await.unwrap())
    }
}

for_each_behaviour!(behaviours);

/// The kind of trouble with which the connection fails, and the whole message.
async fn refusal(options: NatsOptions) -> (BusProblem, String) {
    let Err(error) = NatsBus::connect(options).await else { panic!("it connects") };
    (error.problem().unwrap_or_else(|| panic!("another error: {error}")).clone(), error.to_string())
}

#[tokio::test]
async fn an_address_where_nothing_answers_is_named() {
    let bench = bench();
    let options = NatsOptions { url: "nats://user:secret@127.0.0.1:1".into(), ..bench.options() };
    let (problem, error) = refusal(options).await;
    assert!(matches!(problem, BusProblem::Unreachable { .. }), "{problem:?}");
    assert!(error.contains("127.0.0.1:1: no NATS server can be reached"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    let (problem, error) = refusal(NatsOptions { url: "http://127.0.0.1".into(), ..bench.options() }).await;
    assert!(matches!(problem, BusProblem::Address { .. }), "{problem:?}");
    assert!(error.contains("no address of a NATS server"), "{error}");
}

#[tokio::test]
async fn a_refused_login_is_said_and_the_right_one_works() {
    let bench = server("authorization { user: ann, password: right }");
    let login = |password: &str| {
        let auth = Auth::User { user: "ann".into(), password: password.into() };
        NatsOptions { auth, ..bench.options() }
    };
    let (problem, error) = refusal(login("wrong")).await;
    assert_eq!(problem, BusProblem::LoginRefused);
    assert!(error.contains("refuses this login"), "{error}");
    NatsBus::connect(login("right")).await.unwrap();
}

#[tokio::test]
async fn a_token_is_a_login() {
    let bench = server("authorization { token: \"s3cret\" }");
    NatsBus::connect(NatsOptions { auth: Auth::Token("s3cret".into()), ..bench.options() }).await.unwrap();
    refusal(bench.options()).await;
}

#[tokio::test]
async fn an_nkey_is_a_login() {
    let [right, wrong] = [(); 2].map(|()| KeyPair::new_user());
    let bench = server(&format!("authorization {{ users: [{{ nkey: {} }}] }}", right.public_key()));
    let login = |key: &KeyPair| NatsOptions { auth: Auth::Nkey(key.seed().unwrap()), ..bench.options() };
    NatsBus::connect(login(&right)).await.unwrap();
    refusal(login(&wrong)).await;
}

/// What a NATS operator, account or user is said to be, signed by who says so.
fn claim(signer: &KeyPair, subject: &KeyPair, what: &serde_json::Value) -> String {
    let header = serde_json::json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let claims = serde_json::json!({
        "jti": subject.public_key(), "iat": 1, "iss": signer.public_key(), "sub": subject.public_key(),
        "name": "tests", "nats": what,
    });
    let text = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes())).join(".");
    let signature = signer.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
}

#[tokio::test]
async fn a_credentials_file_is_a_login() {
    let (operator, system, account) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let [right, wrong] = [(); 2].map(|()| KeyPair::new_user());
    let of_account = |streams: i64| {
        serde_json::json!({ "type": "account", "version": 2, "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
            "mem_storage": streams, "disk_storage": streams, "streams": streams, "consumer": streams,
        } })
    };
    let bench = server(&format!(
        "operator: {}\nsystem_account: {1}\nresolver: MEMORY\nresolver_preload: {{ {1}: {2}\n {3}: {4} }}",
        claim(&operator, &operator, &serde_json::json!({ "type": "operator", "version": 2 })),
        system.public_key(),
        claim(&operator, &system, &of_account(0)),
        account.public_key(),
        claim(&operator, &account, &of_account(-1)),
    ));
    let of_user = serde_json::json!({ "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let folder = tempfile::tempdir().unwrap();
    let login = |name: &str, signed_by: &KeyPair, user: &KeyPair| {
        let (claim, seed) = (claim(signed_by, user, &of_user), user.seed().unwrap());
        let path = folder.path().join(name);
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{claim}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        fs::write(&path, text).unwrap();
        NatsOptions { auth: Auth::Credentials(path), ..bench.options() }
    };
    NatsBus::connect(login("right.creds", &account, &right)).await.unwrap();
    refusal(login("wrong.creds", &KeyPair::new_account(), &wrong)).await;
    let missing = Auth::Credentials(folder.path().join("missing.creds"));
    let (problem, error) = refusal(NatsOptions { auth: missing, ..bench.options() }).await;
    assert!(matches!(problem, BusProblem::Credentials { .. }), "{problem:?}");
    assert!(error.contains("missing.creds"), "{error}");
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let certificate = write("certificate.pem", own.cert.pem());
    let key = write("key.pem", own.signing_key.serialize_pem());
    let bench = server(&format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}"));
    let (problem, error) = refusal(bench.options()).await;
    assert!(matches!(problem, BusProblem::Tls { .. }), "{problem:?}");
    assert!(error.contains("certificate"), "{error}");
    let tls = Tls { ca: Some(certificate), required: true, ..Tls::default() };
    NatsBus::connect(NatsOptions { tls, ..bench.options() }).await.unwrap();
}

#[tokio::test]
async fn an_address_may_name_the_login() {
    let with = |bench: &Nats, login: &str| {
        let url = bench.0.url().replace("//", &format!("//{login}@"));
        NatsBus::connect(NatsOptions { url, ..bench.options() })
    };
    let bench = server("authorization { user: ann, password: \"right: really\" }");
    with(&bench, "ann:right%3A%20really").await.unwrap();
    let bench = server("authorization { token: \"s3cret\" }");
    with(&bench, "s3cret").await.unwrap();
}

#[tokio::test]
async fn a_server_without_jetstream_is_said() {
    let server = NatsServer::start(Settings { without_jetstream: true, ..Settings::default() }).unwrap();
    let (problem, error) = refusal(NatsOptions { url: server.url(), ..NatsOptions::default() }).await;
    assert_eq!(problem, BusProblem::JetStreamOff);
    assert!(error.contains("JetStream"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_before_jetstream_is_asked() {
    let server = OldNatsServer::start().unwrap();
    let (problem, error) = refusal(NatsOptions { url: server.url(), ..NatsOptions::default() }).await;
    assert!(matches!(problem, BusProblem::ServerTooOld { .. }), "{error}");
    for told in [old_nats_server::VERSION, "2.10.8 or newer", "upgrade nats-server"] {
        assert!(error.contains(told), "{told}: {error}");
    }
    assert_eq!(server.jetstream_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_has_lost_its_leader_is_waited_for() {
    let mut servers = NatsServer::cluster(3).unwrap();
    let options = NatsOptions { url: servers[0].url(), ..NatsOptions::default() };
    NatsBus::connect(options.clone()).await.unwrap();
    servers[1..].iter_mut().for_each(NatsServer::kill);
    let client = async_nats::connect(servers[0].url()).await.unwrap();
    let is_leaderless = async || {
        let told = client.request("$JS.API.INFO", "".into()).await;
        told.is_ok_and(|told| String::from_utf8_lossy(&told.payload).contains("temporarily unavailable"))
    };
    while !is_leaderless().await {}
    let (connected, ()) = tokio::join!(NatsBus::connect(options), async {
        servers[1..].iter_mut().for_each(|server| server.restart().unwrap());
    });
    connected.unwrap();
}

#[tokio::test]
async fn a_stream_of_another_shape_is_refused_with_both_shapes() {
    let bench = bench();
    let other = stream::Config {
        name: "tributary-tasks".into(),
        subjects: vec!["tributary.task.*.*.*".into()],
        ..stream::Config::default()
    };
    bench.jetstream().await.create_stream(other).await.unwrap();
    let (problem, error) = refusal(bench.options()).await;
    assert!(matches!(problem, BusProblem::OtherShape { .. }), "{problem:?}");
    assert!(error.contains("tributary-tasks") && error.contains("WorkQueue") && error.contains("Limits"), "{error}");
}

#[tokio::test]
async fn a_prefix_that_begins_no_name_is_refused() {
    let (problem, error) = refusal(NatsOptions { prefix: "two words".into(), ..bench().options() }).await;
    assert!(matches!(problem, BusProblem::Prefix { .. }), "{problem:?}");
    assert!(error.contains("two words"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_under_other_prefixes_see_nothing_of_one_another() {
    let bench = bench();
    let (one, two) = (bench.open().await, NatsOptions { prefix: "other".into(), ..bench.options() });
    let two = NatsBus::connect(two).await.unwrap();
    one.publish(&task("a", 1)).await.unwrap();
    one.record(job("a"), &outcome(&task("a", 2), "one")).await.unwrap();
    let blob = one.put(job("a"), "a source".into()).await.unwrap();
    one.keep_reply(call("asked"), "an answer".into()).await.unwrap();
    two.publish(&task("a", 3)).await.unwrap();
    assert_eq!(*two.pull(&Kinds::all()).await.unwrap().task, task("a", 3));
    assert_eq!(read(&mut two.journal(job("a")).await.unwrap()).await, []);
    assert!(matches!(two.get(job("a"), blob).await, Err(BusError::NoBlob(_))));
    assert_eq!(two.reply(call("asked")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_worker_loses_its_task_and_a_living_one_keeps_it() {
    let bench = bench();
    let options = NatsOptions { ack_wait: Duration::from_secs(1), ..bench.options() };
    let bus = NatsBus::connect(options).await.unwrap();
    bus.publish(&task("a", 1)).await.unwrap();
    bus.publish(&task("a", 2)).await.unwrap();
    // As if its process were gone.
    mem::forget(bus.pull(&Kinds::all()).await.unwrap());
    let alive = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*alive.task, alive.lease()), (&task("a", 2), Duration::from_secs(1)));
    let kinds = Kinds::all();
    let (mut others, mut beats) = (bus.pull(&kinds), tokio::time::interval(alive.lease() / 4));
    let silent = loop {
        tokio::select! {
            delivery = &mut others => break delivery.unwrap(),
            _ = beats.tick() => alive.extend_lease().await.unwrap(),
        }
    };
    assert_eq!((&*silent.task, silent.delivery), (&task("a", 1), 2));
    silent.acknowledge().await.unwrap();
    let mut others = bus.pull(&kinds);
    for _ in 0..10 {
        tokio::select! {
            delivery = &mut others => panic!("the {}. delivery", delivery.unwrap().delivery),
            _ = beats.tick() => alive.extend_lease().await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_delivered_too_often_is_put_aside_and_its_job_goes_on() {
    let bench = bench();
    let bus = NatsBus::connect(NatsOptions { max_deliver: 2, ..bench.options() }).await.unwrap();
    bus.publish(&task("a", 1)).await.unwrap();
    for delivery in 1..=2 {
        assert_eq!(bus.pull(&Kinds::all()).await.unwrap().delivery, delivery);
    }
    bus.publish(&task("a", 2)).await.unwrap();
    let mut journal = bus.journal(job("a")).await.unwrap();
    let kinds = Kinds::all();
    let other = bus.pull(&kinds);
    let failed = async {
        loop {
            if let Entry::Outcome(outcome) = next(&mut journal).await {
                break outcome;
            }
        }
    };
    // Both happen because someone pulls; in which order is open.
    let (other, failed) = tokio::join!(
        async {
            let first = other.await.unwrap();
            assert_eq!(*first.task, task("a", 2));
            first.acknowledge().await.unwrap();
            tokio::select! {
                _ = bus.pull(&kinds) => panic!("there is nothing else"),
                () = async { while letters(&bench).await == 0 { tokio::task::yield_now().await } } => {}
            }
        },
        failed
    );
    let () = other;
    assert_eq!(failed.task, task("a", 1).id);
    assert!(matches!(&failed.verdict, Verdict::Failed { reason } if reason.contains("2 deliveries")));
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_fill_their_room_push_the_oldest_out() {
    let bench = bench();
    let options = NatsOptions { replies_bytes: Some(64 << 10), outage: Duration::from_secs(10), ..bench.options() };
    let bus = NatsBus::connect(options.clone()).await.unwrap();
    overfill(&bus, "fresh").await;

    // As a bucket was that an earlier build has made, and an operator has set no limit for.
    let jetstream = bench.jetstream().await;
    let stream = jetstream.get_stream("KV_tributary-replies").await.unwrap();
    let before = stream.cached_info().config.clone();
    let earlier = stream::Config { discard: stream::DiscardPolicy::New, max_bytes: -1, ..before.clone() };
    jetstream.update_stream(&earlier).await.unwrap();
    let found = async || jetstream.get_stream("KV_tributary-replies").await.unwrap().cached_info().config.clone();
    NatsBus::connect(options.clone()).await.unwrap();
    assert_eq!(found().await, earlier, "without `adjust` it stays as it is");
    let bus = NatsBus::connect(NatsOptions { adjust: true, ..options }).await.unwrap();
    assert_eq!(found().await, before);
    overfill(&bus, "adjusted").await;
}

/// Keeps more replies than there is room for.
async fn overfill(bus: &NatsBus, name: &str) {
    let reply = "r".repeat(8 << 10);
    for n in 0..16 {
        bus.keep_reply(call(&format!("{name} {n}")), reply.clone().into()).await.unwrap();
    }
    assert_eq!(bus.reply(call(&format!("{name} 0"))).await.unwrap(), None);
    assert_eq!(bus.reply(call(&format!("{name} 15"))).await.unwrap().unwrap(), reply);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_has_left_goes_when_its_time_is_up_and_what_is_out_stays() {
    let bench = bench();
    let retention = Duration::from_secs(3600);
    let bus = Arc::new(NatsBus::connect(NatsOptions { retention, ..bench.options() }).await.unwrap());
    let [failed, cut_short, waiting, lately] = ["failed", "cut short", "waiting", "failed lately"].map(submitted);
    let has_failed = Status::Failed { reason: "it fell".into() };
    for (job, status, changed) in [
        (&failed, &has_failed, 0),
        (&cut_short, &Status::Queued, 0),
        (&waiting, &Status::Queued, 0),
        (&lately, &has_failed, u64::MAX),
    ] {
        let state = State { status: status.clone(), changed, ..State::new(job, None) };
        bus.set_state(job.id, wire::encode(&state).into()).await.unwrap();
        bus.put(job.id, "a source".into()).await.unwrap();
    }
    bus.submit(&failed).await.unwrap();
    bus.claim().await.unwrap().acknowledge().await.unwrap();
    bus.record(failed.id, &outcome(&task("a", 1), "done")).await.unwrap();
    bus.submit(&waiting).await.unwrap();
    let _held = bus.claim().await.unwrap();

    let serving =
        service::serve(bus.clone(), service::ServiceOptions::default(), Arc::default(), futures::future::pending());
    let forgotten = async {
        while bus.states().await.unwrap().len() > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = serving => panic!("it serves for ever"),
        () = forgotten => {}
    }
    for job in [&waiting, &lately] {
        bus.get(job.id, BlobId::of_bytes(b"a source")).await.unwrap();
    }
    assert_eq!(bus.document(waiting.id).await.unwrap(), Some(waiting));
    assert_eq!(bus.document(failed.id).await.unwrap(), None);
    assert_eq!(read(&mut bus.journal(failed.id).await.unwrap()).await, []);
    let stores = left_over(&bench.jetstream().await).await;
    let of_blobs = stores.iter().filter(|(name, _)| name.contains("-blobs-"));
    assert_eq!(of_blobs.count(), 2, "{stores:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_needs_outlives_the_retention() {
    let bench = bench();
    let retention = Duration::from_secs(3600);
    let options = NatsOptions { retention, adjust: true, ..bench.options() };
    let bus = NatsBus::connect(options.clone()).await.unwrap();
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();
    bus.keep_result(job("a"), 0, "an article".into()).await.unwrap();
    let jetstream = bench.jetstream().await;
    let blobs = format!("OBJ_tributary-blobs-{}", job("a"));
    let names = ["tributary-journal", "KV_tributary-states", "OBJ_tributary-results", &blobs];
    // As an earlier build has made them.
    for name in names {
        let found = jetstream.get_stream(name).await.unwrap().cached_info().config.clone();
        assert!(found.max_age > 1000 * retention, "{name}: {:?}", found.max_age);
        jetstream.update_stream(stream::Config { max_age: retention, ..found }).await.unwrap();
    }
    let bus = NatsBus::connect(options).await.unwrap();
    bus.get(job("a"), blob).await.unwrap();
    bus.result(job("a"), 0).await.unwrap();
    for name in names {
        let found = jetstream.get_stream(name).await.unwrap().cached_info().config.max_age;
        assert!(found > 1000 * retention, "{name}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_a_journal_that_is_cleared_meanwhile_catches_up() {
    let bench = bench();
    let bus = bench.open().await;
    // More than a reader has on its way.
    let recording = (0..4000).map(|n| {
        let outcome = outcome(&task("a", n), "done");
        let bus = &bus;
        async move { bus.record(job("a"), &outcome).await }
    });
    futures::future::try_join_all(recording).await.unwrap();
    let mut journal = bus.journal(job("a")).await.unwrap();
    assert!(matches!(next(&mut journal).await, Entry::Outcome(_)));
    let names = NatsNames::new("tributary").unwrap();
    let stream = bench.jetstream().await.get_stream(names.journal()).await.unwrap();
    stream.purge().filter(names.journal_of_job(job("a"))).await.unwrap();
    let rest = timeout(crate::TOO_LONG, read(&mut journal)).await.expect("it is told that it has caught up");
    assert!(rest.len() < 3999);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_message_never_got_there_can_be_resumed() {
    let bench = bench();
    let bus = NatsBus::connect(bench.options()).await.unwrap();
    let job = submitted("cut short");
    bus.set_state(job.id, wire::encode(&State::new(&job, None)).into()).await.unwrap();
    bus.submit(&job).await.unwrap();
    // Its document is there now, and its message is not.
    bus.claim().await.unwrap().acknowledge().await.unwrap();
    assert_eq!(service::resume(&bus, job.id).await.unwrap(), Some(Resumed::Now));
    assert_eq!(service::resume(&bus, job.id).await.unwrap(), Some(Resumed::Not(Status::Queued)));
    assert_eq!(*bus.claim().await.unwrap().job, job);
}

async fn letters(bench: &Nats) -> u64 {
    let names = NatsNames::new("tributary").unwrap();
    let dead = bench.jetstream().await.get_stream(names.dead()).await.unwrap();
    dead.cached_info().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_an_unknown_version_is_passed_on() {
    let bench = bench();
    let bus = bench.open().await;
    let names = NatsNames::new("tributary").unwrap();
    let newer = task("a", 1);
    let subject = names.task(SurveyKind::Group.into(), newer.job, newer.id);
    bench.jetstream().await.publish(subject, vec![0, 99, 1, 2, 3].into()).await.unwrap().await.unwrap();
    bus.publish(&task("a", 2)).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, task("a", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_passed_on_comes_no_closer_to_being_given_up() {
    let bench = bench();
    let bus = NatsBus::connect(NatsOptions { max_deliver: 2, ..bench.options() }).await.unwrap();
    for large in [0, 3 << 20] {
        bus.publish(&condensing("a", 1, large)).await.unwrap();
        for _ in 0..4 {
            let delivery = bus.pull(&Kinds::all()).await.unwrap();
            assert!((&*delivery.task, delivery.delivery) == (&condensing("a", 1, large), 1), "another task");
            delivery.requeue_uncounted(Duration::from_millis(10)).await.unwrap();
        }
        bus.pull(&Kinds::all()).await.unwrap().acknowledge().await.unwrap();
    }
    assert_eq!(letters(&bench).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_and_started_again_has_all_and_everyone_goes_on() {
    let mut bench = bench();
    let bus = bench.open().await;
    let outcomes: Vec<_> = (0..4).map(|n| outcome(&task("a", n), "done")).collect();
    let mut follower = bus.journal(job("a")).await.unwrap();
    let mut disturbed = bus.disturbances();
    bus.record(job("a"), &outcomes[0]).await.unwrap();
    bus.record(job("a"), &outcomes[1]).await.unwrap();
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();
    bus.keep_reply(call("asked"), "an answer".into()).await.unwrap();
    bus.publish(&task("a", 7)).await.unwrap();
    let in_hand = bus.pull(&Kinds::all()).await.unwrap();
    let kinds = Kinds::all();
    let mut waiting = bus.pull(&kinds);
    assert!(futures::poll!(&mut waiting).is_pending());

    bench.0.kill();
    bench.0.restart().unwrap();
    disturbed.next().await.unwrap();

    bus.publish(&task("a", 8)).await.unwrap();
    let mut delivery = waiting.await.unwrap();
    // The server may have forgotten in whose hands a task was.
    while *delivery.task != task("a", 8) {
        assert_eq!(*delivery.task, task("a", 7));
        delivery = bus.pull(&Kinds::all()).await.unwrap();
    }
    in_hand.acknowledge().await.unwrap();
    assert_eq!(bus.get(job("a"), blob).await.unwrap(), "a source");
    assert_eq!(bus.reply(call("asked")).await.unwrap().unwrap(), "an answer");
    bus.record(job("a"), &outcomes[2]).await.unwrap();
    bus.record(job("a"), &outcomes[3]).await.unwrap();
    let mut followed = Vec::new();
    while followed.len() < 4 {
        if let Entry::Outcome(outcome) = next(&mut follower).await {
            followed.push((*outcome).clone());
        }
    }
    assert_eq!(followed, outcomes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_forgot_is_noticed_and_may_be_said_again() {
    let mut bench = bench();
    let bus = bench.open().await;
    let outcomes: Vec<_> = (0..12).map(|n| outcome(&task("a", n), "done")).collect();
    let mut follower = bus.journal(job("a")).await.unwrap();
    for outcome in &outcomes[..5] {
        bus.record(job("a"), outcome).await.unwrap();
    }
    bench.0.stop().unwrap();
    let earlier = tempfile::tempdir().unwrap();
    copy_folder(&bench.0.store(), earlier.path());
    bench.0.restart().unwrap();
    for outcome in &outcomes[5..10] {
        bus.record(job("a"), outcome).await.unwrap();
    }
    bus.publish(&task("a", 20)).await.unwrap();
    let mut followed = Vec::new();
    while followed.len() < 10 {
        if let Entry::Outcome(outcome) = next(&mut follower).await {
            followed.push((*outcome).clone());
        }
    }

    let mut disturbed = bus.disturbances();
    bench.0.kill();
    fs::remove_dir_all(bench.0.store()).unwrap();
    copy_folder(earlier.path(), &bench.0.store());
    bench.0.restart().unwrap();
    disturbed.next().await.unwrap();

    // Those that nobody has any more are said again, in another order, and two are new.
    for outcome in outcomes[7..].iter().rev() {
        bus.record(job("a"), outcome).await.unwrap();
    }
    bus.publish(&task("a", 20)).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, task("a", 20));
    while followed.len() < 12 {
        if let Entry::Outcome(outcome) = next(&mut follower).await {
            followed.push((*outcome).clone());
        }
    }
    assert_eq!(followed[..10], outcomes[..10]);
    assert_eq!(followed[10..], [outcomes[11].clone(), outcomes[10].clone()]);
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_lost_its_payload_can_be_recorded_anew() {
    let bench = bench();
    let bus = bench.open().await;
    let large = outcome(&task("a", 1), &"long ".repeat(400_000));
    bus.record(job("a"), &large).await.unwrap();
    let jetstream = bench.jetstream().await;
    jetstream.delete_object_store(format!("tributary-blobs-{}", job("a"))).await.unwrap();
    let mut journal = bench.open().await.journal(job("a")).await.unwrap();
    assert_eq!(next(&mut journal).await, Entry::CaughtUp);
    bench.open().await.record(job("a"), &large).await.unwrap();
    assert_eq!(next(&mut journal).await, Entry::Outcome(Arc::new(large)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_cleared_job_is_left_on_the_server() {
    let bench = bench();
    let bus = bench.open().await;
    let jetstream = bench.jetstream().await;
    let fresh = left_over(&jetstream).await;
    bus.put(job("a"), "a source".into()).await.unwrap();
    for n in 0..10 {
        bus.publish(&condensing("a", n, if n == 0 { 2 << 20 } else { 10 })).await.unwrap();
    }
    let mut journal = bus.journal(job("a")).await.unwrap();
    for _ in 0..5 {
        let delivery = bus.pull(&Kinds::all()).await.unwrap();
        bus.record(job("a"), &outcome(&delivery.task, "done")).await.unwrap();
        delivery.acknowledge().await.unwrap();
    }
    assert!(matches!(next(&mut journal).await, Entry::Outcome(_) | Entry::CaughtUp));
    drop(journal);
    bus.clear(job("a")).await.unwrap();
    assert_eq!(left_over(&jetstream).await, fresh);
}

/// The streams, and how many messages each has.
async fn left_over(jetstream: &jetstream::Context) -> Vec<(String, u64)> {
    let streams: Vec<_> = jetstream.streams().try_collect().await.unwrap();
    let mut streams: Vec<_> = streams.into_iter().map(|info| (info.config.name, info.state.messages)).collect();
    streams.sort_unstable();
    streams
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
