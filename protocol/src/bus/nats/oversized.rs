//! Messages that are larger than NATS allows: the payload goes to the job's object store, and the message names the
//! object.
//!
//! Such messages are few. Their futures are boxed, so that they take no room in the futures of all other messages.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::FutureExt as _;

use super::{link::NatsLink, objects::ObjectStores};
use crate::{bus::Result, id::JobId};

/// The header with the name of the object that holds a message's payload.
const PAYLOAD_OBJECT: &str = "Tributary-Claim";

/// Gives the headers and payload to send. An oversized payload is stored as an object, under a `name` that is made only
/// then.
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

/// Gives a message's payload, from the message or from its object. None where the object is gone: the job was cleared.
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
