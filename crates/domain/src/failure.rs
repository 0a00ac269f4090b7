//! Why something stopped: one closed set of codes and one table of what each means to a person and to HTTP.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The request has to change.
    Request,
    /// The document cannot be read as it is.
    Document,
    /// The installation lacks something or is in trouble.
    System,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    name: &'static str,
    kind: FailureKind,
    retryable: bool,
    status: u16,
    hint: &'static str,
}

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $variant:ident => ($name:literal, $kind:ident, $retryable:literal, $status:literal, $hint:literal),)+) => {
        /// Every reason for which a request, a document or a job can stop.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureCode { $($(#[$doc])* $variant,)+ }

        impl FailureCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            const fn meaning(self) -> Meaning {
                match self {
                    $(Self::$variant => Meaning {
                        name: $name, kind: FailureKind::$kind, retryable: $retryable, status: $status, hint: $hint,
                    },)+
                }
            }
        }
    };
}

failure_codes! {
    // Requests.
    /// A parameter or body that cannot be understood.
    InvalidRequest => ("invalid_request", Request, false, 400, "Check the request against the message and send it again."),
    /// No such thing, or not yours.
    NotFound => ("not_found", Request, false, 404, "Go back to the list of batches; it may have been deleted."),
    /// The browser said that another site sent this request.
    CrossSite => ("cross_site", Request, false, 403, "Open Sheaf itself and repeat the action there."),
    /// The `Host` header is not this machine.
    ForeignHost => ("foreign_host", Request, false, 403, "Open Sheaf by the address that it printed when it started."),
    /// More bytes than the route takes.
    TooLarge => ("too_large", Request, false, 413, "Send fewer or smaller files, or raise the limit in the configuration."),
    /// All places are taken.
    Overloaded => ("overloaded", Request, true, 429, "Wait a moment and try again."),
    /// The thing exists, but is not ready for this.
    NotReady => ("not_ready", Request, true, 409, "Wait until the batch has been analysed."),
    /// It is done or stopped already.
    NotRunning => ("not_running", Request, false, 409, "Reload the page to see how it ended."),
    /// Nothing that was asked for has failed or was cancelled.
    NothingToRestart => ("nothing_to_restart", Request, false, 409, "Reload the page to see what is left to do."),
    /// A flow with problems.
    InvalidFlow => ("invalid_flow", Request, false, 422, "Correct the step that the message names, then save again."),
    /// The tokens that a run may use are used.
    BudgetSpent => ("budget_spent", Request, false, 409, "Give the run a larger budget, then retry what failed."),
    // Documents.
    /// A file of no bytes.
    EmptyFile => ("empty_file", Document, false, 422, "The file holds no bytes. Look whether the original is complete."),
    /// A readable file without a word in it.
    NoText => ("no_text", Document, false, 422, "Nothing in it can be read as text. If it is a scan in another language than English, install that language for Tesseract and name it in SHEAF_OCR_LANGUAGES."),
    /// A kind that is recognised, but that this version does not read.
    UnsupportedKind => ("unsupported_kind", Document, false, 422, "Convert the file to PDF, Word, HTML or plain text and add it again."),
    /// It wants a password.
    PasswordProtected => ("password_protected", Document, false, 422, "Add it without its password, or give the password with the batch (under Options)."),
    /// It breaks the rules of its own format.
    CorruptFile => ("corrupt_file", Document, false, 422, "The file is damaged. Open it in its own program, save it anew and add it again."),
    /// An archive that holds nothing.
    EmptyArchive => ("empty_archive", Document, false, 422, "The archive holds no files."),
    /// An archive made to unpack to more than it holds.
    ArchiveLimit => ("archive_limit", Document, false, 422, "Unpack the archive yourself and add the files you need."),
    /// An archive of too many files.
    ArchiveTooManyEntries => ("archive_too_many_entries", Document, false, 422, "Unpack the archive yourself and add the files you need, or raise --max-archive-entries."),
    /// An archive that unpacks to too many bytes.
    ArchiveTooLarge => ("archive_too_large", Document, false, 422, "Unpack the archive yourself and add the files you need, or raise --max-archive-mib."),
    /// An archive, or an entry, that unpacks to too many times its size.
    ArchiveRatio => ("archive_ratio", Document, false, 422, "This is how archives are made that fill a disk. If it is an honest one, unpack it yourself, or raise --max-archive-ratio."),
    /// Archives in archives in archives.
    ArchiveTooDeep => ("archive_too_deep", Document, false, 422, "Unpack the outer archives yourself, or raise --max-archive-depth."),
    /// A name inside an archive that points outside of it, or a link.
    UnsafeEntry => ("unsafe_entry", Document, false, 422, "The entry points outside its archive and was not unpacked."),
    /// More of something than is allowed, where no other code says of what.
    DocumentLimit => ("document_limit", Document, false, 422, "Split the file, or raise the limit in the configuration."),
    /// More bytes than one document may have.
    FileTooLarge => ("file_too_large", Document, false, 422, "Split the file, or raise --max-file-mib."),
    /// More pages than are read.
    TooManyPages => ("too_many_pages", Document, false, 422, "Split the file, or raise --max-pages."),
    /// More text than is kept.
    TooMuchText => ("too_much_text", Document, false, 422, "Split the file, or raise --max-text-mib."),
    /// An image of more pixels than are decoded.
    TooManyPixels => ("too_many_pixels", Document, false, 422, "Scale the image down, or raise --max-megapixels."),
    /// Values in values, elements in elements.
    NestedTooDeep => ("nested_too_deep", Document, false, 422, "Save the file in a flatter form, or raise --max-depth."),
    /// A packed document whose parts are larger than is allowed.
    UnpacksTooLarge => ("unpacks_too_large", Document, false, 422, "Split the document, or raise --max-unpacked-mib."),
    /// Parsing took longer than its limit.
    TimedOut => ("timed_out", Document, true, 422, "Try again; if it happens again, the file is too complex: save it in a simpler form, or raise --parse-seconds."),
    /// Parsing wanted more memory than it may have.
    OutOfMemory => ("out_of_memory", Document, false, 422, "The file takes more than the memory limit. Save it in a simpler form, or raise --parse-memory-mib."),
    /// The parser died on this file.
    WorkerCrashed => ("worker_crashed", Document, true, 422, "The file breaks the parser. Save it anew in its own program and add it again."),
    /// A record of a JSON Lines or CSV file that has no text or cannot be read.
    BadRecord => ("bad_record", Document, false, 422, "Correct the record in its file and add it again."),
    /// A language model whose answer does not fit, even after it was asked to mend it.
    BadAnswer => ("bad_answer", Document, true, 422, "Look at what the model said; simpler instructions, fewer fields or a larger model help."),
    // System.
    /// No language model was allowed by the operator.
    NoModelServer => ("no_model_server", System, true, 503, "Start Sheaf with --model-endpoint URL (or SHEAF_MODEL_ENDPOINT), the address of an OpenAI-compatible server."),
    /// The server of the language model does not answer as it should.
    ModelServer => ("model_server", System, true, 503, "Look whether the model's server runs and accepts the key; then retry what failed."),
    /// PDFium could not be loaded.
    PdfiumMissing => ("pdfium_missing", System, true, 503, "Run `cargo xtask setup`, or set SHEAF_PDFIUM to the library."),
    /// Text recognition, or a language of it, is not installed.
    OcrMissing => ("ocr_missing", System, true, 503, "Install Tesseract (Debian: apt-get install tesseract-ocr; macOS: brew install tesseract), then add the document again."),
    /// The system cannot lock the parsers in.
    WeakSandbox => ("weak_sandbox", System, true, 503, "Use Linux 5.13 or newer with Landlock and seccomp, or accept the weaker sandbox with --allow-weak-sandbox."),
    /// The embedding model could not be loaded.
    ModelMissing => ("model_missing", System, true, 503, "Run `cargo xtask setup`, or set SHEAF_MODEL_DIR to a folder with the models."),
    /// The database or the disk refused.
    Storage => ("storage", System, true, 503, "Look for a full disk or a wrong permission; the log has the details."),
    /// Stored bytes that are gone or changed.
    OriginalLost => ("original_lost", System, true, 503, "Bring the stored files back from a backup; `sheaf verify` lists everything that is missing or damaged."),
    /// A fault of Sheaf itself.
    Internal => ("internal", System, true, 500, "This is a fault in Sheaf. The log has the details under the given id."),
    /// Stopped by a person.
    Cancelled => ("cancelled", Request, false, 409, "Start it again if that was not intended."),
}

impl FailureCode {
    /// The name in the database, the API and exports.
    pub const fn name(self) -> &'static str {
        self.meaning().name
    }

    /// Who has to act.
    pub const fn kind(self) -> FailureKind {
        self.meaning().kind
    }

    /// Whether the same thing may succeed when tried again.
    pub const fn is_retryable(self) -> bool {
        self.meaning().retryable
    }

    /// The HTTP status of a response that carries it.
    pub const fn http_status(self) -> u16 {
        self.meaning().status
    }

    /// What to do about it, in one sentence.
    pub const fn hint(self) -> &'static str {
        self.meaning().hint
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FailureCode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|c| c.name() == text).ok_or_else(|| UnknownName::new("failure code", text))
    }
}

/// Why it stopped, what exactly happened, and what to do: the one error that crosses the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Which of the known reasons.
    pub code: FailureCode,
    /// What happened, naming the thing: never a document's text.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Failure {
    /// A failure with the hint that its code has in the table.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: code.hint().to_owned() }
    }

    /// The same failure with a hint that fits this case better.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}
