//! Models' replies by call, for as long as the settings say.

use std::sync::Arc;

use async_nats::jetstream::kv::{Config, Store};
use bytes::{BufMut as _, Bytes, BytesMut};

use super::{link::NatsLink, objects::ObjectStores, streams::ensure_bucket};
use crate::{bus::Result, id::CallId};

/// First byte of a value whose rest is the reply.
const HERE: u8 = 0;
/// First byte of a value whose reply is in the object store.
const ELSEWHERE: u8 = 1;

pub(super) struct ReplyBucket {
    link: Arc<NatsLink>,
    objects: Arc<ObjectStores>,
    bucket: Store,
}

impl ReplyBucket {
    pub async fn open(link: Arc<NatsLink>, objects: Arc<ObjectStores>) -> Result<Self> {
        let config = Config {
            bucket: link.names.replies(),
            description: "Models' replies, by call".into(),
            max_age: link.options.replies,
            max_bytes: link.options.replies_bytes.map_or(-1, |bytes| bytes as i64),
            ..Config::default()
        };
        let bucket = ensure_bucket(&link, config).await?;
        Ok(Self { link, objects, bucket })
    }

    pub async fn get(&self, call: CallId) -> Result<Option<Bytes>> {
        let value =
            self.link.persist("look up a reply", || async { Ok(self.bucket.get(call.to_string()).await?) }).await?;
        match value.as_deref().and_then(<[u8]>::split_first) {
            None => Ok(None),
            Some((&ELSEWHERE, _)) => self.objects.get(&self.link.names.large_replies(), &call.to_string()).await,
            Some(_) => Ok(value.map(|value| value.slice(1..))),
        }
    }

    pub async fn keep(&self, call: CallId, reply: Bytes) -> Result<()> {
        let value = if reply.len() < self.link.largest() {
            let mut value = BytesMut::with_capacity(1 + reply.len());
            value.put_u8(HERE);
            value.put(reply);
            value.freeze()
        } else {
            self.objects.put(&self.link.names.large_replies(), &call.to_string(), &reply).await?;
            Bytes::from_static(&[ELSEWHERE])
        };
        self.link
            .persist("keep a reply", || async { Ok(self.bucket.put(call.to_string(), value.clone()).await.map(drop)?) })
            .await
    }
}
