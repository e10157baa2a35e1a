//! What tests of jobs share.

use std::sync::Arc;

use tributary_protocol::{
    id::BlobId,
    job::Job,
    settings::JobSettings,
    source::{Chunk, Source, SourceId},
    survey::{SurveyRequest, SurveySettings},
};

/// A source without a text: machine and dry run never look at one.
pub fn source(id: u32, chunks: Vec<Chunk>) -> Source {
    Source {
        id: SourceId(id),
        title: format!("Source number {id}"),
        card: BlobId::of_bytes(&id.to_le_bytes()),
        card_tokens: 120,
        title_tokens: 4,
        chunks,
        pages: Vec::new(),
        chunk_headings: Vec::new(),
    }
}

/// A job that asks for a survey of these sources.
pub fn survey_job(survey: SurveySettings, settings: JobSettings, seed: u64, sources: Vec<Source>) -> Arc<Job> {
    Arc::new(Job::new(SurveyRequest::new("Of sources", survey), settings, seed, sources))
}
