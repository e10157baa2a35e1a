//! Both buses keep what the seam promises.

use std::time::Duration;

/// Longer than any behaviour takes on a slow machine; a lost wake-up would wait for ever.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A test for each behaviour, on a fresh bench.
macro_rules! behaviours {
    ($($behaviour:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $behaviour() {
            let bench = bench();
            let behaviour = tributary_tests::conformance::$behaviour(&bench);
            tokio::time::timeout(crate::TOO_LONG, behaviour).await.expect("it ends");
        }
    )*};
}

#[path = "bus/local.rs"]
mod local;
#[path = "bus/nats.rs"]
mod nats;
