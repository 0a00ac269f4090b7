//! The columns of a shard, in the order in which they are written.

use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

/// Under which key the file's metadata holds [`super::ShardHead`] as JSON.
pub const HEAD: &str = "sheaf";

const SCHEMA: &str = "message documents {
    REQUIRED BYTE_ARRAY id (STRING);
    REQUIRED BYTE_ARRAY path (STRING);
    OPTIONAL BYTE_ARRAY sha256 (STRING);
    REQUIRED INT64 bytes;
    OPTIONAL BYTE_ARRAY kind (STRING);
    OPTIONAL INT64 pages;
    OPTIONAL INT64 words;
    OPTIONAL BYTE_ARRAY language (STRING);
    REQUIRED BYTE_ARRAY status (STRING);
    OPTIONAL BYTE_ARRAY error_code (STRING);
    OPTIONAL BYTE_ARRAY error_message (STRING);
    OPTIONAL BYTE_ARRAY error_hint (STRING);
    OPTIONAL BYTE_ARRAY text (STRING);
    OPTIONAL GROUP vector (LIST) { REPEATED GROUP list { REQUIRED FLOAT element; } }
    OPTIONAL BYTE_ARRAY terms;
    OPTIONAL BYTE_ARRAY parse (STRING);
}";

pub fn schema() -> Result<TypePtr, ParquetError> {
    parse_message_type(SCHEMA).map(Arc::new)
}
