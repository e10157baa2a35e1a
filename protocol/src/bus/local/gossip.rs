//! Gossip between the parts of a single process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::broadcast::{self, Sender, error::RecvError};

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

    pub fn tell(&self, group: &str, word: Bytes) {
        // Fails where nobody listens.
        let _ = self.group(group).send(word);
    }

    pub fn hear(&self, group: &str) -> BoxStream<'static, Bytes> {
        let heard = self.group(group).subscribe();
        stream::unfold(heard, |mut heard| async {
            loop {
                match heard.recv().await {
                    Ok(word) => return Some((word, heard)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        })
        .boxed()
    }
}
