//! Formulas (OMML, ECMA-376 part 1, 22.1) on one line: what their layout says is written out, as in `x^{2}` and `(a)/(b)`.

use quick_xml::events::BytesStart;

use crate::formats::xml::attribute;

/// The formula that is being read; the elements of Word that are in it are seen, too.
#[derive(Default)]
pub struct Math {
    /// The elements that are open.
    path: Vec<Element>,
    /// For each pair of brackets that is open: what opens it, what closes it, whether its first part is written.
    brackets: Vec<(String, String, bool)>,
    /// The sign of the sum, integral or accent, until it is written.
    sign: Option<String>,
}

impl Math {
    /// What stands at the beginning of an element.
    pub fn open(&mut self, tag: &BytesStart<'_>) -> Option<String> {
        let around = self.path.last().copied();
        self.path.push(match tag.local_name().as_ref() {
            "d" => Element::Brackets,
            "func" => Element::Function,
            _ => Element::Other,
        });
        let value = || attribute(tag, "val");
        match tag.local_name().as_ref() {
            "d" => {
                self.brackets.push(("(".to_owned(), ")".to_owned(), false));
                None
            }
            "begChr" => {
                self.brackets.last_mut()?.0 = value()?;
                None
            }
            "endChr" => {
                self.brackets.last_mut()?.1 = value()?;
                None
            }
            "nary" => {
                self.sign = Some("\u{222b}".to_owned());
                None
            }
            "chr" => {
                if let Some(sign) = &mut self.sign {
                    *sign = value().unwrap_or_default();
                }
                None
            }
            "sub" => Some(format!("{}_{{", self.sign.take().unwrap_or_default())),
            "sup" => Some(format!("{}^{{", self.sign.take().unwrap_or_default())),
            "num" | "deg" => Some("(".to_owned()),
            "den" => Some("/(".to_owned()),
            "rad" => Some("\u{221a}".to_owned()),
            "lim" => Some("_{".to_owned()),
            "e" => match around {
                Some(Element::Brackets) => self.part(),
                Some(Element::Function) => Some(" ".to_owned()),
                Some(Element::Other) | None => self.sign.take(),
            },
            _ => None,
        }
    }

    /// What stands at the end of an element.
    pub fn close(&mut self, name: &str) -> Option<String> {
        self.path.pop();
        match name {
            "sub" | "sup" | "lim" => Some("}".to_owned()),
            "num" | "den" | "deg" => Some(")".to_owned()),
            "d" => self.brackets.pop().map(|(_, close, _)| close),
            "mr" => Some(";".to_owned()),
            _ => None,
        }
    }

    /// What stands before a part of brackets: the first of them, then what separates the parts.
    fn part(&mut self) -> Option<String> {
        let (open, _, begun) = self.brackets.last_mut()?;
        Some(if std::mem::replace(begun, true) { "|".to_owned() } else { open.clone() })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Brackets,
    Function,
    Other,
}
