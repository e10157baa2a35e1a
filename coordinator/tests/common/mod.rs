//! What tests of jobs share.

use tributary_protocol::{
    id::BlobId,
    source::{Chunk, Source, SourceId},
};

/// A source without a text: machine and rehearsal never look at one.
pub fn source(id: u32, chunks: Vec<Chunk>) -> Source {
    Source {
        id: SourceId(id),
        title: format!("Source number {id}"),
        card: BlobId::of_bytes(&id.to_le_bytes()),
        card_tokens: 120,
        title_tokens: 4,
        chunks,
    }
}
