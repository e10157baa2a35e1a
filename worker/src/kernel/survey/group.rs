//! Group: sources put together by their titles.

use std::{collections::BTreeSet, sync::Arc};

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    source::{SourceId, TitledSource},
    survey::{SurveyBrief, SurveyProduct, SurveyWork},
};

use super::halves::halved;
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::{HalfWork, Kernel},
        reply::{lenient, schema::SchemaBuilder},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line},
};

pub(super) struct GroupKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub sources: &'a [TitledSource],
    pub size: u32,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct GroupReply {
    groups: Vec<ReplyGroup>,
}

#[derive(Deserialize, JsonSchema)]
struct ReplyGroup {
    #[serde(deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

impl Kernel for GroupKernel<'_> {
    type Reply = GroupReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let titles: Vec<_> =
            self.sources.iter().map(|source| format!("{}: {}", source.id, line(&source.title))).collect();
        context! { title => line(&self.brief.title), size => self.size, sources => fence(&titles.join("\n")) }
    }

    fn schema(&self) -> serde_json::Value {
        let fewest = self.sources.len().div_ceil(self.size.max(1) as usize);
        SchemaBuilder::of::<GroupReply>()
            .least("groups", fewest)
            .most("groups", fewest * 2)
            .most("groups[].sources", self.size as usize)
            .offer("groups[].sources[]", self.sources.iter().map(|source| source.id))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.sources.len() as u32 * 24 + 64
    }

    /// Accepts a reply with most sources in groups; forgotten sources are put together in their order.
    fn check(&self, reply: GroupReply) -> ReplyVerdict<SurveyProduct> {
        let mut left: BTreeSet<SourceId> = self.sources.iter().map(|source| source.id).collect();
        let mut groups: Vec<Vec<SourceId>> = Vec::new();
        for members in reply.groups {
            let known = members.sources.iter().filter_map(|handle| handle.parse().ok());
            let members: Vec<SourceId> = known.filter(|source| left.remove(source)).collect();
            groups.extend(members.chunks(self.size.max(1) as usize).map(<[_]>::to_vec));
        }
        let placed = self.sources.len() - left.len();
        if placed == 0 {
            return Err(ReplyFlaw::fatal("no group holds a handle of a source that was given"));
        }
        let forgotten: Vec<_> = left.iter().map(ToString::to_string).collect();
        groups.extend(left.into_iter().map(|source| vec![source]));
        let made = ReplyProduct::new(SurveyProduct::Groups(united(groups, self.size as usize)));
        if placed * 2 < self.sources.len() {
            return Err(ReplyFlaw::grave(format!("these sources are in no group: {}", forgotten.join(", ")), made));
        }
        Ok(made)
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Groups(extractive::group::groups(self.sources, self.size))
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        halved(self.brief, self.sources, |sources| SurveyWork::Group { sources, size: self.size })
    }

    fn join(&self, one: SurveyProduct, other: SurveyProduct) -> SurveyProduct {
        match (one, other) {
            (SurveyProduct::Groups(one), SurveyProduct::Groups(other)) => SurveyProduct::Groups([one, other].concat()),
            (one, _) => one,
        }
    }
}

/// Joins groups below the full size into as few as possible: every group costs calls.
fn united(groups: Vec<Vec<SourceId>>, size: usize) -> Vec<Vec<SourceId>> {
    let (mut whole, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.len() >= size);
    whole.extend(rest.concat().chunks(size).map(<[_]>::to_vec));
    whole
}
