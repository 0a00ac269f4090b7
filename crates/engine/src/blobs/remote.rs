//! Blobs in a bucket of S3: `prefix/blobs/ab/abcdef…`. What stages read is copied to this machine first; what people download
//! is passed on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload,
    RetryConfig, WriteMultipart,
};
use sheaf_domain::BatchId;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

use super::{
    Aside, BlobCache, BlobError, BlobFile, BlobStore, BlobStream, DerivedName, Listed, Listing, Result, Staged,
    Staging, checked, is_hash,
};

/// Bytes that are sent at a time; what is larger goes in parts of this size, of which S3 takes ten thousand.
const PART: usize = 8 << 20;

/// MiB of memory for what is being sent, over all uploads of the process.
const SENDING_MIB: usize = 48;

/// Requests of one call that are under way at the same time.
const AT_ONCE: usize = 16;

/// How long a request that failed is repeated before the queue takes over: it gives the place to another job and waits
/// longer.
const RETRIED: Duration = Duration::from_secs(20);

/// A bucket, or the part of it under a prefix.
#[derive(Debug)]
pub struct RemoteBlobs {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    staging: Staging,
    cache: BlobCache,
    sending: Semaphore,
}

impl RemoteBlobs {
    /// The bucket on the server that the usual `AWS_*` variables name. `staging` and `cache` take the local copies. Nothing
    /// is sent yet.
    ///
    /// # Errors
    /// `Bucket` when a variable cannot be understood.
    pub fn open(bucket: &str, prefix: &str, staging: Staging, cache: BlobCache) -> Result<Self> {
        // An error only says that the process has one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            ..BackoffConfig::default()
        };
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(RetryConfig { backoff, max_retries: 10, retry_timeout: RETRIED })
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), "5 seconds")
            // Without a byte. It bounds the sending of a part too.
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), "60 seconds")
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "10 minutes");
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_default();
        // Who gives an address without encryption means it: servers of one's own network often have none.
        let store = if endpoint.starts_with("http://") { store.with_allow_http(true) } else { store };
        let store = store.build().map_err(BlobError::Bucket)?;
        Ok(Self::over(Arc::new(store), prefix, staging, cache))
    }

    /// Over anything that behaves like a bucket.
    pub fn over(store: Arc<dyn ObjectStore>, prefix: &str, staging: Staging, cache: BlobCache) -> Self {
        Self { store, prefix: Path::from(prefix), staging, cache, sending: Semaphore::new(SENDING_MIB) }
    }

    fn key(&self, parts: &[&str]) -> Path {
        parts.iter().fold(self.prefix.clone(), |path, part| path.join(*part))
    }

    fn place(&self, sha256: &str) -> Result<Path> {
        let sha256 = checked(sha256)?;
        Ok(self.key(&["blobs", &sha256[..2], sha256]))
    }

    fn derived(&self, name: &DerivedName) -> Path {
        self.key(&["derived", &name.batch().to_string(), name.rest()])
    }

    fn aside(&self, aside: &Aside) -> Path {
        self.key(&["aside", &aside.name()])
    }

    async fn keep_one(&self, blob: &Staged) -> Result<()> {
        let place = self.place(&blob.sha256)?;
        match self.store.head(&place).await {
            // Another size would be damage: the same name means the same bytes.
            Ok(found) if found.size == blob.bytes => {}
            Ok(_) | Err(StoreError::NotFound { .. }) => self.send(blob.path(), blob.bytes, &place).await?,
            Err(error) => return Err(BlobError::Bucket(error)),
        }
        Ok(())
    }

    /// Puts a file that is no blob beside the blobs, in the place of an older one.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    pub async fn put_file(&self, name: &str, file: &std::path::Path) -> Result<()> {
        let bytes = tokio::fs::metadata(file).await?.len();
        self.send(file, bytes, &self.key(&[name])).await
    }

    async fn send(&self, from: &std::path::Path, bytes: u64, place: &Path) -> Result<()> {
        let memory = (2 * bytes).min(2 * PART as u64).div_ceil(1 << 20).max(1);
        let memory = u32::try_from(memory).unwrap_or(u32::MAX);
        let _room = self.sending.acquire_many(memory).await.map_err(io::Error::other)?;
        if bytes <= PART as u64 {
            let bytes = tokio::fs::read(from).await?;
            self.store.put(place, bytes.into()).await.map_err(BlobError::Bucket)?;
            return Ok(());
        }
        let mut file = tokio::fs::File::open(from).await?;
        let upload = self.store.put_multipart(place).await.map_err(BlobError::Bucket)?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        let sent = async {
            loop {
                let mut part = Vec::with_capacity(PART);
                if (&mut file).take(PART as u64).read_to_end(&mut part).await? == 0 {
                    return Ok(());
                }
                parts.wait_for_capacity(1).await.map_err(BlobError::Bucket)?;
                parts.put(part.into());
            }
        };
        let sent: Result<()> = sent.await;
        match sent {
            Ok(()) => parts.finish().await.map(drop).map_err(BlobError::Bucket),
            Err(error) => {
                // What remains of it costs room and nothing else.
                let _ = parts.abort().await;
                Err(error)
            }
        }
    }

    async fn delete(&self, place: &Path) -> Result<()> {
        match self.store.delete(place).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(BlobError::Bucket(error)),
        }
    }

    fn listing<T: Send + 'static>(&self, folder: &Path, read: fn(&Path) -> Option<T>) -> Listing<T> {
        let listed = self.store.list(Some(folder)).map_err(BlobError::Bucket);
        listed
            .try_filter_map(move |ObjectMeta { location, last_modified, .. }| async move {
                Ok(read(&location).map(|name| Listed { name, written: last_modified.into() }))
            })
            .boxed()
    }
}

/// Gives `Missing` its name back; everything else is the bucket's.
fn named(error: StoreError, name: &str) -> BlobError {
    match error {
        StoreError::NotFound { .. } => BlobError::Missing(name.to_owned()),
        error => BlobError::Bucket(error),
    }
}

async fn get(store: &dyn ObjectStore, place: &Path, name: &str) -> Result<BlobStream> {
    let found = store.get(place).await.map_err(|error| named(error, name))?;
    Ok(BlobStream { bytes: found.meta.size, stream: found.into_stream().map_err(BlobError::Bucket).boxed() })
}

#[async_trait]
impl BlobStore for RemoteBlobs {
    async fn keep(&self, staged: &Arc<[Staged]>) -> Result<()> {
        stream::iter(staged.iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |blob| {
                self.keep_one(blob).await?;
                // It is wanted soon. That there is no room for a copy does not matter now.
                if let Err(error) = self.cache.adopt(blob) {
                    tracing::debug!(%error, "no local copy was kept");
                }
                Ok(())
            })
            .await
    }

    async fn file(&self, sha256: &str) -> Result<BlobFile> {
        let place = self.place(sha256)?;
        self.cache.file(sha256, &self.staging, get(&*self.store, &place, sha256)).await
    }

    async fn read(&self, sha256: &str) -> Result<BlobStream> {
        get(&*self.store, &self.place(sha256)?, sha256).await
    }

    async fn set_aside(&self, sha256: &str) -> Result<Option<Aside>> {
        let (place, aside) = (self.place(sha256)?, Aside::new(sha256));
        match self.store.copy(&place, &self.aside(&aside)).await {
            Ok(()) => {}
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(BlobError::Bucket(error)),
        }
        self.delete(&place).await?;
        self.cache.forget(sha256);
        Ok(Some(aside))
    }

    async fn put_back(&self, aside: &Aside) -> Result<()> {
        let from = self.aside(aside);
        self.store.copy(&from, &self.place(&aside.sha256)?).await.map_err(|error| named(error, &aside.sha256))?;
        self.delete(&from).await
    }

    async fn discard(&self, aside: &Aside) -> Result<()> {
        self.delete(&self.aside(aside)).await
    }

    async fn put_derived(&self, name: &DerivedName, bytes: Bytes) -> Result<()> {
        let place = self.derived(name);
        if bytes.len() <= PART {
            self.store.put(&place, PutPayload::from_bytes(bytes)).await.map_err(BlobError::Bucket)?;
            return Ok(());
        }
        let upload = self.store.put_multipart(&place).await.map_err(BlobError::Bucket)?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        for start in (0..bytes.len()).step_by(PART) {
            // After an error the parts that are there are of no use; S3 removes them when it is told to.
            parts.wait_for_capacity(AT_ONCE).await.map_err(BlobError::Bucket)?;
            parts.put(bytes.slice(start..bytes.len().min(start + PART)));
        }
        parts.finish().await.map_err(BlobError::Bucket)?;
        Ok(())
    }

    async fn read_derived(&self, name: &DerivedName) -> Result<Bytes> {
        let missing = |error| named(error, &name.to_string());
        self.store.get(&self.derived(name)).await.map_err(missing)?.bytes().await.map_err(missing)
    }

    async fn remove_derived(&self, name: &DerivedName) -> Result<()> {
        self.delete(&self.derived(name)).await
    }

    async fn remove_derived_of(&self, batch: BatchId) -> Result<()> {
        let folder = self.key(&["derived", &batch.to_string()]);
        let names = self.store.list(Some(&folder)).map_ok(|found| found.location).boxed();
        let removed = self.store.delete_stream(names);
        removed
            .try_for_each(|_| async { Ok(()) })
            .await
            .or_else(|error| if matches!(error, StoreError::NotFound { .. }) { Ok(()) } else { Err(error) })
            .map_err(BlobError::Bucket)
    }

    fn list(&self) -> Listing<String> {
        self.listing(&self.key(&["blobs"]), |path| path.filename().filter(|name| is_hash(name)).map(str::to_owned))
    }

    fn list_derived(&self) -> Listing<DerivedName> {
        self.listing(&self.key(&["derived"]), |path| {
            let mut parts = path.parts().collect::<Vec<_>>();
            let (rest, batch) = (parts.pop()?, parts.pop()?);
            DerivedName::new(batch.as_ref().parse().ok()?, rest.as_ref()).ok()
        })
    }

    fn list_aside(&self) -> Listing<Aside> {
        self.listing(&self.key(&["aside"]), |path| path.filename().and_then(Aside::of))
    }

    async fn check(&self) -> Result<()> {
        // Nothing has this name, but a refusal to get it says of which kind it is.
        match self.store.get(&self.key(&["check"])).await {
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(BlobError::Bucket(error)),
        }
        // Whether there is a bucket, and whether it may be listed, only a listing tells.
        match self.store.list_with_delimiter(Some(&self.prefix)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(BlobError::Bucket(of_its_kind(error))),
        }
    }
}

/// A refused listing comes without its kind; the code in the server's answer tells.
fn of_its_kind(error: StoreError) -> StoreError {
    let (path, text) = (String::new(), error.to_string());
    if text.contains("<Code>NoSuchBucket</Code>") {
        StoreError::NotFound { path, source: error.into() }
    } else if text.contains("<Code>AccessDenied</Code>") {
        StoreError::PermissionDenied { path, source: error.into() }
    } else {
        error
    }
}
