//! Both buses keep what the seam promises.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use tributary_protocol::bus::{
    Bus,
    local::{LocalBus, Options},
    nats::{NatsBus, NatsOptions},
};
use tributary_tests::{
    conformance,
    conformance::Bench,
    for_each_behaviour,
    nats_server::{NatsServer, Settings},
};

/// Longer than any behaviour takes on a slow machine; a lost wake-up would wait for ever.
const TOO_LONG: Duration = Duration::from_secs(60);

mod local {
    use super::*;

    struct Local(TempDir);

    impl Local {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    impl Bench for Local {
        async fn open(&self) -> Arc<dyn Bus> {
            Arc::new(LocalBus::open(self.0.path(), Options::default()).unwrap())
        }
    }

    macro_rules! behaviours {
        ($($behaviour:ident)*) => {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                tokio::time::timeout(TOO_LONG, conformance::$behaviour(&Local::new())).await.expect("it ends");
            }
        )*};
    }

    for_each_behaviour!(behaviours);
}

mod nats {
    use super::*;

    struct Nats(NatsServer);

    impl Nats {
        fn new() -> Self {
            Self(NatsServer::start(Settings::default()).unwrap())
        }

        fn options(&self) -> NatsOptions {
            NatsOptions { url: self.0.url(), ..NatsOptions::default() }
        }
    }

    impl Bench for Nats {
        async fn open(&self) -> Arc<dyn Bus> {
            Arc::new(NatsBus::connect(self.options()).await.unwrap())
        }
    }

    macro_rules! behaviours {
        ($($behaviour:ident)*) => {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                tokio::time::timeout(TOO_LONG, conformance::$behaviour(&Nats::new())).await.expect("it ends");
            }
        )*};
    }

    for_each_behaviour!(behaviours);
}
