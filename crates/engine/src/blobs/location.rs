//! Where an operator says that bytes are kept: a folder, or a bucket.

use std::path::PathBuf;
use std::str::FromStr;

/// A folder, or a bucket of S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobLocation {
    Folder(PathBuf),
    /// `prefix` is what all keys begin with; empty, or without slashes at its ends.
    Bucket {
        bucket: String,
        prefix: String,
    },
}

/// What is wrong with a location.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WrongLocation {
    #[error("it is empty")]
    Empty,
    #[error("`s3://` wants a bucket, as in s3://bucket/prefix")]
    NoBucket,
    #[error("`{0}://` is not understood: give a folder, or s3://bucket/prefix")]
    Scheme(String),
}

impl FromStr for BlobLocation {
    type Err = WrongLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(WrongLocation::Empty) } else { Ok(Self::Folder(text.into())) };
        };
        if scheme != "s3" {
            return Err(WrongLocation::Scheme(scheme.to_owned()));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(WrongLocation::NoBucket);
        }
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

impl std::fmt::Display for BlobLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let check = |text: &str, expect| assert_eq!(text.parse::<BlobLocation>(), expect, "{text}");
        let bucket = |bucket: &str, prefix: &str| {
            Ok(BlobLocation::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
        };
        check("/var/lib/sheaf", Ok(BlobLocation::Folder("/var/lib/sheaf".into())));
        check("s3", Ok(BlobLocation::Folder("s3".into())));
        check("s3://letters", bucket("letters", ""));
        check("s3://letters/", bucket("letters", ""));
        check("s3://letters/a/b/", bucket("letters", "a/b"));
        check("s3:///a", Err(WrongLocation::NoBucket));
        check("gs://letters", Err(WrongLocation::Scheme("gs".into())));
        check("", Err(WrongLocation::Empty));
        assert_eq!("s3://letters/a/b/".parse::<BlobLocation>().map(|l| l.to_string()), Ok("s3://letters/a/b".into()));
    }
}
