//! Weights in a safetensors file, mapped into memory: what is not looked at costs nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};

use super::models::{ModelError, fingerprint};

/// An open safetensors file.
pub(super) struct Checkpoint {
    path: PathBuf,
    map: Mmap,
    metadata: Metadata,
    /// Where the tensors' bytes begin.
    start: usize,
}

impl Checkpoint {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// When it cannot be opened or has no valid header.
    pub(super) fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::read(path, source))?;
        #[expect(unsafe_code, reason = "a mapped file is the way to use 90 MB of weights without copying them")]
        // SAFETY: model files are put in place once, whole, and never written to afterwards; were one truncated while it
        // is in use, the process would be stopped by a signal, not read foreign memory.
        let map = unsafe { Mmap::map(&file) }.map_err(|source| ModelError::read(path, source))?;
        let (header, metadata) = SafeTensors::read_metadata(&map)
            .map_err(|error| ModelError::format(path, format!("not a safetensors file: {error}")))?;
        // The header's length itself is written in eight bytes.
        Ok(Self { path: path.to_owned(), map, metadata, start: header + 8 })
    }

    /// The first twelve hex digits of the file's SHA-256.
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.map)
    }

    /// The f32 tensor `name`, row-major, of exactly `shape`.
    ///
    /// # Errors
    /// When it is missing or different.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<&[f32], ModelError> {
        let TensorInfo { dtype, shape: found, data_offsets: (from, to) } = self.entry(name)?;
        if found != shape || *dtype != Dtype::F32 {
            return Err(self.unusable(format!("tensor `{name}` is {dtype:?} {found:?}, not F32 {shape:?}")));
        }
        let bytes = self.map.get(self.start + from..self.start + to);
        bytes
            .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
            .ok_or_else(|| self.unusable(format!("tensor `{name}` is cut off or not aligned")))
    }

    /// The shape of the tensor `name`.
    ///
    /// # Errors
    /// When it is missing.
    pub(super) fn shape(&self, name: &str) -> Result<&[usize], ModelError> {
        Ok(&self.entry(name)?.shape)
    }

    fn entry(&self, name: &str) -> Result<&TensorInfo, ModelError> {
        self.metadata.info(name).ok_or_else(|| self.unusable(format!("there is no tensor `{name}`")))
    }

    fn unusable(&self, reason: String) -> ModelError {
        ModelError::format(&self.path, reason)
    }
}
