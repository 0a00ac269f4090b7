//! The text of a chart (DrawingML, ECMA-376 part 1, 21.2): its titles, and its values as a table, from the cache that the
//! chart keeps of them.

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::markdown::{Markdown, Table};
use crate::formats::xml::{Visitor, number, walk_part};
use crate::limits::Limits;

/// The most series and points that are read; charts with more are pictures of data that stand elsewhere.
const MOST: usize = 1000;

/// Writes a chart.
///
/// # Errors
/// Those of walking the XML.
pub fn write(name: &str, xml: &str, limits: &Limits, page: &mut Markdown) -> Result<(), Failure> {
    let mut chart = Chart::default();
    walk_part(name, xml, limits.depth, &mut chart)?;
    chart.titles.iter().for_each(|title| page.paragraph(title));

    let mut table = Table::new(limits);
    for (column, series) in (1..).zip(&chart.series) {
        table.cell(column, &series.name.concat());
    }
    table.end_row();
    let categories = chart.series.iter().map(|series| &series.categories).max_by_key(|list| list.len());
    let points = chart.series.iter().map(|series| series.values.len()).max().unwrap_or(0);
    for point in 0..points {
        if let Some(category) = categories.and_then(|categories| categories.get(point)) {
            table.cell(0, category);
        }
        for (column, series) in (1..).zip(&chart.series) {
            table.cell(column, series.values.get(point).map_or("", String::as_str));
        }
        table.end_row();
    }
    page.table(&table);
    Ok(())
}

#[derive(Default)]
struct Chart {
    titles: Vec<String>,
    series: Vec<Series>,
    place: Place,
    /// The point that a value is of, and whether it is read.
    point: usize,
    in_value: bool,
    in_text: bool,
}

#[derive(Default)]
struct Series {
    name: Vec<String>,
    categories: Vec<String>,
    values: Vec<String>,
}

/// What a text is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Elsewhere,
    Title,
    Name,
    Category,
    Value,
}

impl Visitor for Chart {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "title" => {
                self.place = Place::Title;
                self.titles.push(String::new());
            }
            "ser" if self.series.len() < MOST => self.series.push(Series::default()),
            // A title may have its text from a cell.
            "tx" if self.place == Place::Elsewhere => self.place = Place::Name,
            "cat" | "xVal" => self.place = Place::Category,
            "val" | "yVal" => self.place = Place::Value,
            "pt" => self.point = number(tag, "idx").unwrap_or(0),
            "v" => self.in_value = true,
            "t" => self.in_text = true,
            "p" if self.place == Place::Title => self.text(" "),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "title" | "cat" | "xVal" | "val" | "yVal" => self.place = Place::Elsewhere,
            "tx" if self.place == Place::Name => self.place = Place::Elsewhere,
            "v" => self.in_value = false,
            "t" => self.in_text = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !self.in_value && !self.in_text {
            return;
        }
        let point = self.point;
        let list = match (self.place, self.series.last_mut()) {
            (Place::Title, _) => {
                if let Some(title) = self.titles.last_mut() {
                    title.push_str(text);
                }
                return;
            }
            (Place::Name, Some(series)) => {
                series.name.push(text.to_owned());
                return;
            }
            (Place::Category, Some(series)) => &mut series.categories,
            (Place::Value, Some(series)) => &mut series.values,
            (Place::Elsewhere, _) | (_, None) => return,
        };
        if self.in_value && point < MOST {
            if list.len() <= point {
                list.resize(point + 1, String::new());
            }
            list[point].push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_a_table() {
        let points = |values: &[&str]| -> String {
            (0..).zip(values).map(|(at, value)| format!("<c:pt idx='{at}'><c:v>{value}</c:v></c:pt>")).collect()
        };
        let series = |name: &str, values: &[&str]| {
            format!(
                "<c:ser><c:tx><c:strRef><c:v>{name}</c:v></c:strRef></c:tx><c:cat>{}</c:cat><c:val>{}</c:val></c:ser>",
                points(&["2019", "2020"]),
                points(values)
            )
        };
        let xml = format!(
            "<c:chart xmlns:c='c' xmlns:a='a'><c:title><a:p><a:t>Ducks</a:t></a:p></c:title>{}{}</c:chart>",
            series("Fresh", &["1", "2"]),
            series("Salt", &["3"])
        );
        let mut page = Markdown::new(&Limits::default());
        write("chart", &xml, &Limits::default(), &mut page).expect("chart");
        assert_eq!(page.take(), "Ducks\n\n|  | Fresh | Salt |\n| --- | --- | --- |\n| 2019 | 1 | 3 |\n| 2020 | 2 |");
    }
}
