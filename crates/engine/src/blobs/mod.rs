//! Bytes addressed by their content: written once, never changed. Original files, and files that are derived from them.
//!
//! A document's row may name bytes only while they are there, whatever other processes do. Whoever adds a row calls
//! [`BlobStore::keep`], writes the row, and calls it again; whoever removes bytes sets them aside, asks once more for rows
//! that name them, and only then discards them or puts them back. In every order of these steps one of the two sees the
//! other: a row that was written before the second question brings the bytes back, and a row that was written after it finds
//! in its second call that they are gone.

mod location;
pub mod staging;

mod local;

mod cache;
mod remote;

#[cfg(test)]
mod cache_tests;
#[cfg(test)]
mod conformance;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use sheaf_domain::{BatchId, Failure, FailureCode};

pub use cache::BlobCache;
pub use local::LocalBlobs;
pub use location::{BlobLocation, WrongLocation};
pub use remote::RemoteBlobs;
pub use staging::{Staged, Staging};

use cache::Pin;

/// Why bytes cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There are none of this name.
    #[error("there is nothing under `{0}`")]
    Missing(String),
    /// They are not what their name says.
    #[error("what is under `{0}` is damaged: its SHA-256 is another")]
    Damaged(String),
    /// No bytes can have this name.
    #[error("`{0}` is no name of stored bytes")]
    Name(String),
    /// The local disk.
    #[error("the disk refused")]
    Disk(#[from] io::Error),
    /// The bucket.
    #[error("the bucket refused")]
    Bucket(#[source] object_store::Error),
}

impl BlobError {
    /// Whether it may go away by itself.
    pub fn is_transient(&self) -> bool {
        use object_store::Error::{InvalidPath, NotFound, PermissionDenied, Unauthenticated, UnknownConfigurationKey};
        match self {
            Self::Missing(_) | Self::Damaged(_) | Self::Name(_) => false,
            Self::Disk(_) => true,
            Self::Bucket(error) => !matches!(
                error,
                InvalidPath { .. }
                    | NotFound { .. }
                    | PermissionDenied { .. }
                    | Unauthenticated { .. }
                    | UnknownConfigurationKey { .. }
            ),
        }
    }
}

type Result<T> = std::result::Result<T, BlobError>;

/// Everything under one name.
pub struct BlobStream {
    /// Size in bytes of the whole.
    pub bytes: u64,
    pub stream: BoxStream<'static, Result<Bytes>>,
}

/// A local file with the bytes of a blob, for reading only. It stays where it is until this is dropped.
#[derive(Debug)]
pub struct BlobFile {
    path: PathBuf,
    _pin: Option<Pin>,
}

impl BlobFile {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Bytes that were taken out of sight and can be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Lower-case hex SHA-256.
    pub sha256: String,
    /// Tells it from what another process sets aside.
    token: String,
}

impl Aside {
    fn new(sha256: &str) -> Self {
        Self { sha256: sha256.to_owned(), token: uuid::Uuid::new_v4().simple().to_string() }
    }

    fn name(&self) -> String {
        format!("{}.{}", self.sha256, self.token)
    }

    fn of(name: &str) -> Option<Self> {
        let (sha256, token) = name.split_once('.')?;
        is_hash(sha256).then(|| Self { sha256: sha256.to_owned(), token: token.to_owned() })
    }
}

/// One entry of a listing.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    pub name: T,
    /// When it was written, by the clock of the disk or the bucket.
    pub written: SystemTime,
}

/// A listing as it comes.
pub type Listing<T> = BoxStream<'static, Result<Listed<T>>>;

/// Where bytes are kept.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Makes staged bytes durable and findable by their hash; those that are there already stay. When it returns, they
    /// survive a crash. The staged files stay too, so that this can be called again.
    ///
    /// # Errors
    /// When the disk or the bucket refuses; what was kept before that stays.
    async fn keep(&self, staged: &Arc<[Staged]>) -> Result<()>;

    /// A local file with the bytes of this hash.
    ///
    /// # Errors
    /// `Missing` when there are none, `Damaged` when they are not of this hash and that was seen.
    async fn file(&self, sha256: &str) -> Result<BlobFile>;

    /// The bytes of this hash as they come; they are not checked.
    ///
    /// # Errors
    /// `Missing` when there are none.
    async fn read(&self, sha256: &str) -> Result<BlobStream>;

    /// Takes the bytes of this hash out of sight, to be put back or discarded; nothing when there are none.
    ///
    /// # Errors
    /// When the disk or the bucket refuses; then they may be in sight and aside.
    async fn set_aside(&self, sha256: &str) -> Result<Option<Aside>>;

    /// Brings bytes into sight again.
    ///
    /// # Errors
    /// `Missing` when they were discarded.
    async fn put_back(&self, aside: &Aside) -> Result<()>;

    /// Forgets bytes that were set aside; it is no error when they are gone.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    async fn discard(&self, aside: &Aside) -> Result<()>;

    /// Keeps `bytes` durably under a name of our own making that begins with its batch.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    async fn put_derived(&self, name: &DerivedName, bytes: Bytes) -> Result<()>;

    /// The bytes kept under that name.
    ///
    /// # Errors
    /// `Missing` when there are none.
    async fn read_derived(&self, name: &DerivedName) -> Result<Bytes>;

    /// Forgets what is kept under that name; it is no error when there is nothing.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    async fn remove_derived(&self, name: &DerivedName) -> Result<()>;

    /// Forgets all that is derived from a batch.
    ///
    /// # Errors
    /// When the disk or the bucket refuses; some of it may be gone then.
    async fn remove_derived_of(&self, batch: BatchId) -> Result<()>;

    /// The hashes of all blobs, in no order.
    fn list(&self) -> Listing<String>;

    /// All derived files, in no order.
    fn list_derived(&self) -> Listing<DerivedName>;

    /// What was set aside and is still there: a process that sweeps now, or one that died while it did.
    fn list_aside(&self) -> Listing<Aside>;

    /// Whether it can be reached now, for a readiness check.
    ///
    /// # Errors
    /// When not.
    async fn check(&self) -> Result<()>;
}

/// The name of a file that is derived from a batch: the batch's id, `-`, and what is said with ASCII letters, digits, `-`
/// and `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DerivedName {
    batch: BatchId,
    rest: String,
}

impl DerivedName {
    /// `rest` tells it from the batch's other files.
    ///
    /// # Errors
    /// `Name` when `rest` has other characters or begins with a dot.
    pub fn new(batch: BatchId, rest: &str) -> Result<Self> {
        let is_plain = !rest.is_empty()
            && !rest.starts_with('.')
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if !is_plain {
            return Err(BlobError::Name(rest.to_owned()));
        }
        Ok(Self { batch, rest: rest.to_owned() })
    }

    pub const fn batch(&self) -> BatchId {
        self.batch
    }

    /// The name of a file that belongs to a file of vectors: the same with another end.
    ///
    /// # Errors
    /// `Name` when the end has other characters.
    pub fn beside(&self, end: &str) -> Result<Self> {
        Self::new(self.batch, &format!("{}{end}", self.rest.strip_suffix(Self::VECTORS).unwrap_or(&self.rest)))
    }

    /// How the names of files of vectors end.
    pub const VECTORS: &str = ".f32";

    /// Without the batch.
    fn rest(&self) -> &str {
        &self.rest
    }
}

impl std::fmt::Display for DerivedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.batch, self.rest)
    }
}

impl std::str::FromStr for DerivedName {
    type Err = BlobError;

    fn from_str(name: &str) -> Result<Self> {
        let wrong = || BlobError::Name(name.to_owned());
        let (batch, rest) = name.split_at_checked(UUID_CHARS).ok_or_else(wrong)?;
        let batch = batch.parse().map_err(|_| wrong())?;
        Self::new(batch, rest.strip_prefix('-').ok_or_else(wrong)?)
    }
}

/// Of a hyphenated UUID.
const UUID_CHARS: usize = 36;

/// Whether this is a SHA-256 in lower-case hexadecimal.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name itself, if it is a hash.
fn checked(sha256: &str) -> Result<&str> {
    if is_hash(sha256) { Ok(sha256) } else { Err(BlobError::Name(sha256.to_owned())) }
}

/// Whether there was a file to be removed or moved.
fn was_there(done: io::Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        let (message, hint) = match &error {
            BlobError::Missing(_) | BlobError::Damaged(_) => {
                return Self::new(FailureCode::OriginalLost, error.to_string());
            }
            BlobError::Name(_) => return crate::internal(error),
            BlobError::Disk(cause) => return crate::intake::disk(cause),
            BlobError::Bucket(cause) => bucket(cause),
        };
        // Addresses and the server's answer are for the operator, so they go to the log only.
        tracing::warn!(error = &error as &dyn std::error::Error, "stored bytes cannot be had or kept");
        Self::new(FailureCode::Storage, message).with_hint(hint)
    }
}

/// What a bucket's refusal means, and what to do.
fn bucket(error: &object_store::Error) -> (&'static str, &'static str) {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    match error {
        Unauthenticated { .. } => {
            ("S3 does not know the credentials", "Look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        }
        PermissionDenied { .. } => (
            "S3 refuses access to the bucket",
            "Look at the credentials, and allow them to list the bucket and to get, put and delete its objects.",
        ),
        NotFound { .. } => ("the bucket does not exist", "Make it, or correct its name in --blobs."),
        _ => (
            "S3 cannot be reached or is in trouble",
            "Look at AWS_ENDPOINT_URL, AWS_REGION and the S3 server; work goes on by itself when it is back.",
        ),
    }
}
