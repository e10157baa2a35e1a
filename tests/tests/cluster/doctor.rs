//! What is said of a cluster that can't be used, and of one that can.

use std::fs;

use tributary_tests::{
    cluster::Cluster,
    nats_server::{NatsServer, Settings as Nats},
    old_nats_server::OldNatsServer,
    process::{Ended, Tributary},
    simulated::{SchemaSupport, Settings},
};

use crate::common::{alone, corpus};

fn doctor(tributary: Tributary) -> Ended {
    tributary.args(["doctor", "--model", "openai/simulated"]).run()
}

#[test]
fn the_doctor_finds_a_cluster_in_good_health() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let ended = doctor(cluster.tributary()).with(0);
    for well in ["takes this login", "JetStream is on", "streams and consumers are right", "which the server enforces"]
    {
        assert!(ended.stdout.contains(well), "{well}: {ended}");
    }
    let cluster = Cluster::new(&corpus(), Settings { schema_support: SchemaSupport::None, ..Settings::default() });
    let ended = doctor(cluster.tributary().env("TRIBUTARY_NATS_URL", "")).with(0);
    assert!(ended.stdout.contains("none is set") && ended.stdout.contains("by the prompt alone"), "{ended}");
}

#[test]
fn what_is_wrong_with_nats_is_said_by_the_doctor_and_by_every_role() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let without = NatsServer::start(Nats { without_jetstream: true, ..Nats::default() }).unwrap();
    let more = "authorization { user: ann, password: right }".to_owned();
    let locked = NatsServer::start(Nats { more, ..Nats::default() }).unwrap();
    let old = OldNatsServer::start().unwrap();
    let nowhere = "nats://127.0.0.1:1".to_owned();
    for (url, reason, code) in [
        (&nowhere, "no NATS server can be reached", 1),
        (&without.url(), "JetStream is off", 2),
        (&locked.url(), "refuses this login", 2),
        (&old.url(), "2.10.8 or newer", 2),
    ] {
        let tributary = || Tributary::in_folder(folder.path()).env("TRIBUTARY_NATS_URL", url);
        let ended = tributary().args(["doctor"]).run().with(1);
        assert!(ended.stdout.contains("failed  NATS") && ended.stdout.contains(reason), "{ended}");
        tributary().args(["list", "-q"]).run().with(code).tells(reason);
        // A role waits for a server that isn't there yet.
        for role in ["coordinator", "worker"].into_iter().filter(|_| *url != nowhere) {
            tributary().args([role, "--listen=off"]).run().with(code).tells(reason);
        }
    }
    let settings = "[nats.auth.user]\nuser = 'ann'\npassword = 'right'\n";
    fs::write(folder.path().join("tributary.toml"), settings).unwrap();
    Tributary::in_folder(folder.path()).env("TRIBUTARY_NATS_URL", &locked.url()).args(["list"]).run().with(0);
}

#[test]
fn roles_that_start_before_nats_begin_once_it_is_there() {
    let _alone = alone();
    let mut cluster = Cluster::new(&corpus(), Settings::default());
    cluster.nats.kill();
    let (coordinator, worker) = (cluster.coordinator(), cluster.worker(4));
    cluster.nats.restart().unwrap();
    let job = cluster.submit("corpus.jsonl");
    cluster.watch(&job).with(0);
    for role in [coordinator, worker] {
        role.interrupt();
        role.wait().with(0);
    }
}
