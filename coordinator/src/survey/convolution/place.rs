//! The places of this stage in a job.

use std::fmt;

use tributary_protocol::{survey::SurveyStage, task::Stage};

use crate::{survey::context::block_suffix, tasks::Place};

/// The position of an outcome within this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConvolutionPlace {
    pub(super) block: usize,
    pub(super) step: ConvolutionStep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConvolutionStep {
    /// A batch of a field of a pooling layer.
    Pool { layer: usize, field: usize, batch: usize },
    /// A field of a sampling layer.
    Sample { layer: usize, field: usize },
    /// The score of a field's candidate.
    Score { layer: usize, field: usize },
}

/// Formatted for people: layers from 0, all else from 1.
impl fmt::Display for ConvolutionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            ConvolutionStep::Pool { layer, field, batch } => {
                write!(f, "convolution {layer}/{}/{}", field + 1, batch + 1)?;
            }
            ConvolutionStep::Sample { layer, field } => write!(f, "convolution {layer}/{}", field + 1)?,
            ConvolutionStep::Score { layer, field } => write!(f, "convolution {layer}/{} score", field + 1)?,
        }
        f.write_str(&block_suffix(self.block))
    }
}

impl Place for ConvolutionPlace {
    fn stage(self) -> Stage {
        SurveyStage::Convolution.into()
    }

    fn instead(self) -> &'static str {
        "a member stands for its field, of scored ones the best; unscored come last"
    }
}
