//! What holds within a group and ends with it: where its text goes, its font, whether it is hidden.

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    Body,
    /// Nobody reads it.
    Skipped,
    /// A frame around text that is in a group of its own.
    Frame,
    Header,
    Footer,
    Note,
    Comment,
    CommentAuthor,
    /// The number of a list's item as it is shown.
    Label,
    Fonts,
    Styles,
    Title,
    Author,
    Created,
    Producer,
}

/// The properties of a paragraph; `\pard` takes them back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Properties {
    pub style: i32,
    pub outline: Option<usize>,
    pub in_table: bool,
    pub level: usize,
}

/// The properties of a group; a group within has them, too.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub destination: Destination,
    pub font: i32,
    /// How many characters stand in for one in Unicode.
    pub fallback: u32,
    pub hidden: bool,
    /// Whether `\*` came just before: an unknown word then says that the group is to be skipped.
    pub optional: bool,
    pub paragraph: Properties,
}

impl Group {
    pub fn new() -> Self {
        Self {
            destination: Destination::Body,
            font: -1,
            fallback: 1,
            hidden: false,
            optional: false,
            paragraph: Properties::default(),
        }
    }
}

/// The destination that a word begins, if it is one; what is nothing else can be skipped.
pub fn destination(word: &str) -> Option<Destination> {
    Some(match word {
        "header" | "headerl" | "headerr" | "headerf" => Destination::Header,
        "footer" | "footerl" | "footerr" | "footerf" => Destination::Footer,
        "footnote" => Destination::Note,
        "annotation" => Destination::Comment,
        "atnauthor" => Destination::CommentAuthor,
        "listtext" | "pntext" => Destination::Label,
        "fonttbl" => Destination::Fonts,
        "stylesheet" => Destination::Styles,
        "title" => Destination::Title,
        "author" => Destination::Author,
        "creatim" => Destination::Created,
        "generator" => Destination::Producer,
        "shpinst" | "info" => Destination::Frame,
        "shptxt" | "ud" => Destination::Body,
        "colortbl" | "pict" | "fldinst" | "objdata" | "objclass" | "objname" | "xe" | "tc" | "tcn" | "rxe"
        | "ftnsep" | "ftnsepc" | "ftncn" | "aftnsep" | "aftnsepc" | "aftncn" | "shprslt" | "nonshppict" | "upr"
        | "revtbl" | "bkmkstart" | "bkmkend" | "filetbl" | "listtable" | "listoverridetable" | "subject"
        | "manager" | "company" | "operator" | "category" | "keywords" | "comment" | "doccomm" | "hlinkbase"
        | "revtim" | "printim" | "buptim" | "template" | "private" | "falt" | "panose" | "pntxta" | "pntxtb"
        | "htmltag" | "txe" => Destination::Skipped,
        _ => return None,
    })
}

/// The codepage of a font's character set; nothing when it is that of the document.
pub fn codepage(charset: i32) -> Option<u32> {
    Some(match charset {
        77 => 10000,
        128 => 932,
        129 => 949,
        130 => 1361,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}
