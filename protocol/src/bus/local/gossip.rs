//! Gossip between the parts of a single process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::broadcast::{self, Sender, error::RecvError};

use super::LocalBus;
use crate::bus::{self, Result};

/// Most messages that wait for a slow listener; the oldest are dropped first.
const WAITING: usize = 256;

#[derive(Default)]
pub(super) struct LocalGossip {
    groups: Mutex<HashMap<String, Sender<Bytes>>>,
}

impl LocalGossip {
    fn group(&self, name: &str) -> Sender<Bytes> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.entry(name.to_owned()).or_insert_with(|| broadcast::channel(WAITING).0).clone()
    }
}

#[async_trait]
impl bus::Gossip for LocalBus {
    async fn tell(&self, group: &str, word: Bytes) -> Result<()> {
        // Fails where nobody listens.
        let _ = self.gossip.group(group).send(word);
        Ok(())
    }

    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>> {
        let heard = self.gossip.group(group).subscribe();
        Ok(stream::unfold(heard, |mut heard| async {
            loop {
                match heard.recv().await {
                    Ok(word) => return Some((word, heard)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        })
        .boxed())
    }
}
