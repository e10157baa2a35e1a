//! Illustrate: a table or a diagram, where prose says less.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{
    SurveyBrief, SurveyProduct, SurveyWork,
    article::{Edge, Figure, Row},
    digest::Note,
    work::SectionBrief,
};

use super::{halves::halved, passage::CitationCheck, sections::prose};
use crate::{
    kernel::{
        contract::{HalfWork, Kernel},
        reply::{lenient, schema::SchemaBuilder, truncate},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, shown_notes, shown_section, sources_of},
};

pub(super) struct IllustrateKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub section: &'a SectionBrief,
    pub notes: &'a [Note],
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FigureKind {
    None,
    Table,
    Diagram,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct FigureReply {
    kind: FigureKind,
    #[serde(default, deserialize_with = "lenient::text")]
    caption: String,
    #[serde(default, deserialize_with = "lenient::texts")]
    #[schemars(with = "Vec<String>")]
    header: Vec<String>,
    #[serde(default)]
    rows: Vec<TableRow>,
    #[serde(default, deserialize_with = "lenient::texts")]
    #[schemars(with = "Vec<String>")]
    nodes: Vec<String>,
    #[serde(default)]
    edges: Vec<DiagramEdge>,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct TableRow {
    #[serde(deserialize_with = "lenient::texts")]
    #[schemars(with = "Vec<String>")]
    cells: Vec<String>,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DiagramEdge {
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "u32")]
    from: f64,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "u32")]
    to: f64,
    #[serde(default, deserialize_with = "lenient::text")]
    label: String,
}

/// The most rows or nodes on a page.
const MOST: usize = 16;
/// Tokens of a cell or label.
const LABEL: u32 = 32;

/// A figure with fewer rows or arrows shows nothing.
const LEAST: usize = 2;

impl Kernel for IllustrateKernel<'_> {
    type Reply = FigureReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        context! {
            title => line(&self.brief.title),
            section => fence(&shown_section(self.section)),
            notes => fence(&shown_notes(self.notes)),
            most => MOST,
        }
    }

    fn schema(&self) -> serde_json::Value {
        SchemaBuilder::of::<FigureReply>()
            .words("caption", 15)
            .words("rows[].cells[]", 10)
            .offer_at(&["rows[].sources[]", "sources[]"], sources_of(self.notes))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        1536
    }

    /// Drops misshapen parts; a figure with too few parts left, or without a source, is dropped whole.
    fn check(&self, reply: FigureReply) -> ReplyVerdict<SurveyProduct> {
        let mut cited = CitationCheck::offering(sources_of(self.notes));
        let entries = match reply.kind {
            FigureKind::None => 0,
            FigureKind::Table => reply.rows.len(),
            FigureKind::Diagram => reply.nodes.len(),
        };
        let figure = match reply.kind {
            FigureKind::None => None,
            FigureKind::Table => table(reply, &mut cited),
            FigureKind::Diagram => diagram(reply, &mut cited),
        };
        let made = ReplyProduct { product: SurveyProduct::Figure(figure), citations_removed: cited.removed };
        if entries > MOST {
            let reason = format!("the figure has {entries} rows or nodes: {MOST} have room on a page");
            return Err(ReplyFlaw::grave(reason, made));
        }
        Ok(made)
    }

    /// Quotations make no table.
    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Figure(None)
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        halved(self.brief, self.notes, |notes| SurveyWork::Illustrate { section: self.section.clone(), notes })
    }

    fn join(&self, one: SurveyProduct, other: SurveyProduct) -> SurveyProduct {
        match (one, other) {
            (SurveyProduct::Figure(one), SurveyProduct::Figure(other)) => SurveyProduct::Figure(one.or(other)),
            (one, _) => one,
        }
    }
}

fn label(text: &str) -> String {
    truncate::trim(&prose(text), LABEL)
}

fn table(reply: FigureReply, cited: &mut CitationCheck) -> Option<Figure> {
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

fn diagram(reply: FigureReply, cited: &mut CitationCheck) -> Option<Figure> {
    let nodes: Vec<_> = reply.nodes.iter().take(MOST).map(|node| label(node)).collect();
    let place = |number: f64| {
        let place = (number >= 0.0 && number.fract() == 0.0).then_some(number as usize)?;
        nodes.get(place).filter(|node| !node.is_empty()).map(|_| place)
    };
    let edge =
        |arrow: &DiagramEdge| Some(Edge { from: place(arrow.from)?, to: place(arrow.to)?, label: label(&arrow.label) });
    let edges: Vec<Edge> = reply.edges.iter().filter_map(edge).collect();
    let sources = cited.read(&reply.sources);
    let whole = edges.len() >= LEAST && !sources.is_empty();
    whole.then(|| Figure::Diagram { caption: prose(&reply.caption), nodes, edges, sources })
}
