//! Illustrate: a table or a diagram, where one says more than prose.

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    article::{Edge, Figure, Row},
    digest::Note,
    task::{Brief, Product, SectionBrief},
};

use super::{Checked, Flaw, Kernel, Made, fit, form::Form, passage::Cited, reply, sections::prose};
use crate::prompt::{fence, line, shown_notes, shown_section, sources_of};

pub(super) struct Illustrate<'a> {
    pub brief: &'a Brief,
    pub section: &'a SectionBrief,
    pub notes: &'a [Note],
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    None,
    Table,
    Diagram,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Reply {
    kind: Kind,
    #[serde(default, deserialize_with = "reply::text")]
    caption: String,
    #[serde(default, deserialize_with = "reply::texts")]
    #[schemars(with = "Vec<String>")]
    header: Vec<String>,
    #[serde(default)]
    rows: Vec<Line>,
    #[serde(default, deserialize_with = "reply::texts")]
    #[schemars(with = "Vec<String>")]
    nodes: Vec<String>,
    #[serde(default)]
    edges: Vec<Arrow>,
    #[serde(default, deserialize_with = "reply::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Line {
    #[serde(deserialize_with = "reply::texts")]
    #[schemars(with = "Vec<String>")]
    cells: Vec<String>,
    #[serde(default, deserialize_with = "reply::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Arrow {
    #[serde(deserialize_with = "reply::number")]
    #[schemars(with = "u32")]
    from: f64,
    #[serde(deserialize_with = "reply::number")]
    #[schemars(with = "u32")]
    to: f64,
    #[serde(default, deserialize_with = "reply::text")]
    label: String,
}

/// Rows and nodes that have room on a page.
const MOST: usize = 16;
/// Tokens of a cell or label.
const LABEL: u32 = 32;

/// A figure with fewer rows or arrows shows nothing.
const LEAST: usize = 2;

impl Kernel for Illustrate<'_> {
    type Reply = Reply;

    fn context(&self) -> Value {
        context! {
            title => line(&self.brief.title),
            section => fence(&shown_section(self.section)),
            notes => fence(&shown_notes(self.notes)),
            most => MOST,
        }
    }

    fn schema(&self) -> serde_json::Value {
        Form::of::<Reply>()
            .words("caption", 15)
            .words("rows[].cells[]", 10)
            .offer_at(&["rows[].sources[]", "sources[]"], sources_of(self.notes))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        1536
    }

    /// What is out of shape is left out; a figure without enough in shape, or without a source, is none.
    fn check(&self, reply: Reply) -> Checked {
        let mut cited = Cited::offering(sources_of(self.notes));
        let entries = match reply.kind {
            Kind::None => 0,
            Kind::Table => reply.rows.len(),
            Kind::Diagram => reply.nodes.len(),
        };
        let figure = match reply.kind {
            Kind::None => None,
            Kind::Table => table(reply, &mut cited),
            Kind::Diagram => diagram(reply, &mut cited),
        };
        let made = Made { product: Product::Figure(figure), citations_removed: cited.removed };
        if entries > MOST {
            let reason = format!("the figure has {entries} rows or nodes: {MOST} have room on a page");
            return Err(Flaw::grave(reason, made));
        }
        Ok(made)
    }
}

fn label(text: &str) -> String {
    fit::trim(&prose(text), LABEL)
}

fn table(reply: Reply, cited: &mut Cited) -> Option<Figure> {
    let header: Vec<_> = reply.header.iter().map(|title| label(title)).collect();
    let in_shape =
        reply.rows.into_iter().take(MOST).filter(|row| row.cells.len() == header.len() && !header.is_empty());
    let rows: Vec<Row> = in_shape
        .map(|row| Row { sources: cited.read(&row.sources), cells: row.cells.iter().map(|cell| label(cell)).collect() })
        .filter(|row| row.cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    let sourced = rows.iter().any(|row| !row.sources.is_empty());
    (rows.len() >= LEAST && sourced).then(|| Figure::Table { caption: prose(&reply.caption), header, rows })
}

fn diagram(reply: Reply, cited: &mut Cited) -> Option<Figure> {
    let nodes: Vec<_> = reply.nodes.iter().take(MOST).map(|node| label(node)).collect();
    let place = |number: f64| {
        let place = (number >= 0.0 && number.fract() == 0.0).then_some(number as usize)?;
        nodes.get(place).filter(|node| !node.is_empty()).map(|_| place)
    };
    let edge =
        |arrow: &Arrow| Some(Edge { from: place(arrow.from)?, to: place(arrow.to)?, label: label(&arrow.label) });
    let edges: Vec<Edge> = reply.edges.iter().filter_map(edge).collect();
    let sources = cited.read(&reply.sources);
    let whole = edges.len() >= LEAST && !sources.is_empty();
    whole.then(|| Figure::Diagram { caption: prose(&reply.caption), nodes, edges, sources })
}
