//! Kinds of documents: what a file is, by its content, and how that is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// What a document is. The set is closed: what is none of these is [`DocumentKind::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Odt,
    Ods,
    Odp,
    Rtf,
    Epub,
    Html,
    Email,
    Msg,
    /// Many mails in one file (mbox).
    Mbox,
    Csv,
    Tsv,
    Markdown,
    Text,
    /// A manual page of Unix (roff).
    Man,
    Json,
    Jsonl,
    Xml,
    Notebook,
    Doc,
    Xls,
    Ppt,
    Png,
    Jpeg,
    Tiff,
    Webp,
    Bmp,
    Gif,
    Svg,
    Zip,
    Tar,
    Gzip,
    SevenZip,
    /// An Office or OpenDocument file that is encrypted, whatever is inside.
    EncryptedOffice,
    Unknown,
}

impl DocumentKind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 38] = [
        Self::Pdf,
        Self::Docx,
        Self::Pptx,
        Self::Xlsx,
        Self::Odt,
        Self::Ods,
        Self::Odp,
        Self::Rtf,
        Self::Epub,
        Self::Html,
        Self::Email,
        Self::Msg,
        Self::Mbox,
        Self::Csv,
        Self::Tsv,
        Self::Markdown,
        Self::Text,
        Self::Man,
        Self::Json,
        Self::Jsonl,
        Self::Xml,
        Self::Notebook,
        Self::Doc,
        Self::Xls,
        Self::Ppt,
        Self::Png,
        Self::Jpeg,
        Self::Tiff,
        Self::Webp,
        Self::Bmp,
        Self::Gif,
        Self::Svg,
        Self::Zip,
        Self::Tar,
        Self::Gzip,
        Self::SevenZip,
        Self::EncryptedOffice,
        Self::Unknown,
    ];

    /// The name in the database, the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Pptx => "pptx",
            Self::Xlsx => "xlsx",
            Self::Odt => "odt",
            Self::Ods => "ods",
            Self::Odp => "odp",
            Self::Rtf => "rtf",
            Self::Epub => "epub",
            Self::Html => "html",
            Self::Email => "email",
            Self::Msg => "msg",
            Self::Mbox => "mbox",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Man => "man",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Xml => "xml",
            Self::Notebook => "notebook",
            Self::Doc => "doc",
            Self::Xls => "xls",
            Self::Ppt => "ppt",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Tiff => "tiff",
            Self::Webp => "webp",
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Svg => "svg",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::SevenZip => "seven_zip",
            Self::EncryptedOffice => "encrypted_office",
            Self::Unknown => "unknown",
        }
    }

    /// What a person calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Docx => "Word",
            Self::Pptx => "PowerPoint",
            Self::Xlsx => "Excel",
            Self::Odt => "OpenDocument text",
            Self::Ods => "OpenDocument sheet",
            Self::Odp => "OpenDocument slides",
            Self::Rtf => "Rich text",
            Self::Epub => "E-book",
            Self::Html => "Web page",
            Self::Email => "E-mail",
            Self::Msg => "Outlook message",
            Self::Mbox => "Mailbox",
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Markdown => "Markdown",
            Self::Text => "Text",
            Self::Man => "Manual page",
            Self::Json => "JSON",
            Self::Jsonl => "JSON lines",
            Self::Xml => "XML",
            Self::Notebook => "Notebook",
            Self::Doc => "Word 97",
            Self::Xls => "Excel 97",
            Self::Ppt => "PowerPoint 97",
            Self::Png => "PNG image",
            Self::Jpeg => "JPEG image",
            Self::Tiff => "TIFF image",
            Self::Webp => "WebP image",
            Self::Bmp => "BMP image",
            Self::Gif => "GIF image",
            Self::Svg => "SVG image",
            Self::Zip => "ZIP archive",
            Self::Tar => "TAR archive",
            Self::Gzip => "GZIP archive",
            Self::SevenZip => "7z archive",
            Self::EncryptedOffice => "Encrypted Office file",
            Self::Unknown => "Unknown",
        }
    }
}

impl DocumentKind {
    /// Whether its pages can be looked at as pictures.
    pub const fn has_pictures(self) -> bool {
        matches!(self, Self::Pdf | Self::Png | Self::Jpeg | Self::Tiff | Self::Webp | Self::Bmp | Self::Gif)
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DocumentKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownName::new("document kind", text))
    }
}
