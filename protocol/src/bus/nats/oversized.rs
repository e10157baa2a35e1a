//! Messages that are too large to send: what they say goes to the job's object store, and they only name it.
//!
//! They are few. What is done for them is boxed, so that it takes no room in the futures of all others.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::FutureExt as _;

use super::{link::NatsLink, objects::ObjectStores};
use crate::{bus::Result, id::JobId};

/// The header that names the object which holds a message's payload.
const PAYLOAD_OBJECT: &str = "Tributary-Claim";

/// The headers and payload to send: the payload itself, or where it was put, under a `name` that is made only then.
pub(super) async fn pack(
    link: &NatsLink,
    objects: &ObjectStores,
    job: JobId,
    name: impl FnOnce(&Bytes) -> String,
    payload: Vec<u8>,
) -> Result<(HeaderMap, Bytes)> {
    let (mut headers, payload) = (HeaderMap::new(), Bytes::from(payload));
    if payload.len() <= link.largest() {
        return Ok((headers, payload));
    }
    let name = name(&payload);
    objects.put(&link.names.blobs(job), &name, &payload).boxed().await?;
    headers.insert(PAYLOAD_OBJECT, name);
    Ok((headers, Bytes::new()))
}

/// A message's payload, from where it is. None where that is gone: its job was cleared.
pub(super) async fn unpack(
    link: &NatsLink,
    objects: &ObjectStores,
    job: JobId,
    message: &async_nats::Message,
) -> Result<Option<Bytes>> {
    match message.headers.as_ref().and_then(|headers| headers.get(PAYLOAD_OBJECT)) {
        None => Ok(Some(message.payload.clone())),
        Some(name) => objects.get(&link.names.blobs(job), name.as_str()).boxed().await,
    }
}
