//! The reply cache: each answer is paid for once, whichever worker and job asks.

use tributary_protocol::{
    bus::{Bus, BusError},
    id::CallId,
    wire,
};

use super::answer::ModelAnswer;

/// The oldest wire version of readable answers. The form of [`ModelAnswer`] has not changed since then.
const OLDEST_VERSION: u16 = 2;

/// Reads the answer to a call that somebody made before, if the bus still keeps the answer.
pub(super) async fn kept_answer(bus: &dyn Bus, call: CallId) -> Result<Option<ModelAnswer>, BusError> {
    let kept = bus.reply(call).await?;
    Ok(kept.and_then(|bytes| wire::decode_since(OLDEST_VERSION, &bytes).ok()))
}

/// Keeps an answer before the task uses the answer, so nobody pays for the call again. Unkept answers still serve this
/// task.
pub(super) async fn keep_answer(bus: &dyn Bus, call: CallId, answer: &ModelAnswer) {
    if let Err(error) = bus.keep_reply(call, wire::encode(answer).into()).await {
        tracing::warn!(%call, %error, "failed to keep a paid reply; an equal call will be paid for again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shared;

    #[tokio::test]
    async fn answers_that_version_2_kept_are_read() {
        let (bus, call) = (Shared::default(), CallId::of(&tributary_protocol::id::Hasher::new("call")));
        let kept: [(&[u8], ModelAnswer); 3] = [
            (b"\0\x02\x81\xa4Text\xa7{\"a\":1}", ModelAnswer::Text("{\"a\":1}".into())),
            (b"\0\x02\xa3Cut", ModelAnswer::Cut),
            (b"\0\x02\x81\xa7Refused\xa2no", ModelAnswer::Refused("no".into())),
        ];
        for (bytes, answer) in kept {
            bus.keep_reply(call, bytes.into()).await.unwrap();
            assert_eq!(kept_answer(&bus, call).await.unwrap(), Some(answer));
        }
    }
}
