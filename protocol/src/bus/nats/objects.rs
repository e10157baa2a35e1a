//! Objects in object stores: a store for each job, so that all blobs of a job are deleted at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    object_store::{self, InfoErrorKind, ObjectInfo, ObjectMetadata, ObjectStore},
    stream::{Config, Stream},
};
use bytes::Bytes;

use super::{
    link::{AttemptError, NatsLink},
    streams::update,
};
use crate::bus::Result;

/// Size of the messages that an object is cut into, in bytes.
const CHUNK: usize = 256 << 10;

/// A read that takes longer has lost its server, or chunks that a server forgot.
const TOO_LONG: Duration = Duration::from_secs(60);

/// Most stores that are kept open. Workers see the stores of many jobs, and aren't told of deleted stores.
const MOST_OPEN: usize = 64;

/// The object stores on the server.
pub(super) struct ObjectStores {
    link: Arc<NatsLink>,
    /// Open stores, by name.
    open: Mutex<HashMap<String, OpenStore>>,
}

/// An object store, and the stream behind it.
#[derive(Clone)]
struct OpenStore {
    objects: ObjectStore,
    stream: Stream,
}

impl ObjectStores {
    pub fn new(link: Arc<NatsLink>) -> Self {
        Self { link, open: Mutex::default() }
    }

    /// Stores an object once: equal names mean equal bytes.
    pub async fn put(&self, store: &str, name: &str, bytes: &Bytes) -> Result<()> {
        self.link
            .persist("store an object", || async {
                let objects = self.open_or_create(store).await?.objects;
                let put = async {
                    match objects.info(name).await {
                        Ok(info) if !info.deleted => Ok(()),
                        Ok(_) => self.write(&objects, name, bytes).await,
                        Err(error) if error.kind() == InfoErrorKind::NotFound => {
                            self.write(&objects, name, bytes).await
                        }
                        Err(error) => Err(AttemptError::from(error)),
                    }
                };
                self.or_forget(store, put.await)
            })
            .await
    }

    /// Stores an object in place of an earlier object of the name. Readers find the old or the new object at any time.
    pub async fn replace(&self, store: &str, name: &str, bytes: &Bytes) -> Result<()> {
        self.link
            .persist("store an object", || async {
                let objects = self.open_or_create(store).await?.objects;
                self.or_forget(store, self.write(&objects, name, bytes).await)
            })
            .await
    }

    async fn write(&self, objects: &ObjectStore, name: &str, bytes: &Bytes) -> Result<(), AttemptError> {
        let chunk_size = Some(CHUNK.min(self.link.largest()));
        let meta = ObjectMetadata { name: name.to_owned(), chunk_size, ..ObjectMetadata::default() };
        objects.put(meta, &mut &bytes[..]).await?;
        Ok(())
    }

    /// Reads an object. None where the object or the store is missing.
    pub async fn get(&self, store: &str, name: &str) -> Result<Option<Bytes>> {
        self.link
            .persist("read an object", || async {
                let Some(open) = self.open(store).await? else { return Ok(None) };
                let read = tokio::time::timeout(TOO_LONG, open.read(name)).await;
                self.or_forget(store, read.unwrap_or_else(|_| Err("reading took too long".into())))
            })
            .await
    }

    /// Deletes a store with all objects.
    pub async fn remove(&self, store: &str) -> Result<()> {
        self.forget(store);
        self.link
            .persist("delete blobs", || async {
                match self.link.jetstream.delete_object_store(store).await {
                    Ok(()) => Ok(()),
                    Err(error) => match self.look_up(store).await? {
                        None => Ok(()),
                        Some(_) => Err(error.into()),
                    },
                }
            })
            .await
    }

    /// Deletes an object. False where no object has the name.
    pub async fn delete(&self, store: &str, name: &str) -> Result<bool> {
        self.link
            .persist("delete an object", || async {
                let Some(OpenStore { objects, .. }) = self.open(store).await? else { return Ok(false) };
                let deleted = match objects.info(name).await {
                    Ok(info) if info.deleted => Ok(false),
                    Ok(_) => objects.delete(name).await.map(|()| true).map_err(AttemptError::from),
                    Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(false),
                    Err(error) => Err(AttemptError::from(error)),
                };
                self.or_forget(store, deleted)
            })
            .await
    }

    async fn open_or_create(&self, store: &str) -> Result<OpenStore, AttemptError> {
        if let Some(open) = self.open(store).await? {
            return Ok(open);
        }
        let config = object_store::Config {
            bucket: store.to_owned(),
            max_age: self.max_age(store),
            num_replicas: self.link.options.replicas,
            ..object_store::Config::default()
        };
        // Another process may create the store first.
        let created = self.link.jetstream.create_object_store(config).await;
        let open = match (self.look_up(store).await?, created) {
            (Some(open), _) => open,
            (None, Err(error)) => return Err(error.into()),
            (None, Ok(_)) => return Err("another process deleted the object store at once".into()),
        };
        self.keep_open(store, &open);
        Ok(open)
    }

    async fn open(&self, store: &str) -> Result<Option<OpenStore>, AttemptError> {
        let open = self.opened().get(store).cloned();
        if open.is_some() {
            return Ok(open);
        }
        let found = self.look_up(store).await?;
        if let Some(open) = &found {
            self.adjust(store, open).await?;
            self.keep_open(store, open);
        }
        Ok(found)
    }

    async fn adjust(&self, store: &str, open: &OpenStore) -> Result<(), AttemptError> {
        let (options, found) = (&self.link.options, &open.stream.cached_info().config);
        if options.adjust {
            let (max_age, num_replicas) = (self.max_age(store), options.replicas);
            update(&self.link, found, Config { max_age, num_replicas, ..found.clone() }).await?;
        }
        Ok(())
    }

    /// The age at which the server itself deletes an object.
    fn max_age(&self, store: &str) -> Duration {
        let options = &self.link.options;
        if store == self.link.names.large_replies() { options.replies } else { options.last_resort() }
    }

    fn keep_open(&self, store: &str, open: &OpenStore) {
        let mut opened = self.opened();
        if opened.len() >= MOST_OPEN {
            opened.clear();
        }
        opened.insert(store.to_owned(), open.clone());
    }

    async fn look_up(&self, store: &str) -> Result<Option<OpenStore>, AttemptError> {
        match self.link.jetstream.get_stream(format!("OBJ_{store}")).await {
            Ok(stream) => Ok(Some(OpenStore { objects: self.link.jetstream.get_object_store(store).await?, stream })),
            Err(error) if super::streams::is_missing(&error.kind()) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Closes the store after a failure: another process may have deleted the store meanwhile.
    fn or_forget<T>(&self, store: &str, result: Result<T, AttemptError>) -> Result<T, AttemptError> {
        result.inspect_err(|_| self.forget(store))
    }

    fn forget(&self, store: &str) {
        self.opened().remove(store);
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, OpenStore>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenStore {
    async fn read(&self, name: &str) -> Result<Option<Bytes>, AttemptError> {
        match self.objects.info(name).await {
            Ok(info) if !info.deleted => self.chunks(&info).await.map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the chunks one by one. The client's own reader leaves a consumer at the server for half a minute each
    /// time, and the server soon has no room for more: workers read thousands of texts a minute.
    async fn chunks(&self, info: &ObjectInfo) -> Result<Bytes, AttemptError> {
        let subject = format!("$O.{}.C.{}", info.bucket, info.nuid);
        let mut bytes = Vec::with_capacity(info.size);
        let mut next = 1;
        for _ in 0..info.chunks {
            let chunk = self.stream.direct_get_next_for_subject(subject.as_str(), Some(next)).await?;
            next = chunk.sequence + 1;
            bytes.extend_from_slice(&chunk.payload);
        }
        match bytes.len() == info.size {
            true => Ok(bytes.into()),
            false => Err("some chunks of the object are missing".into()),
        }
    }
}
