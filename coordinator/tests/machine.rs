//! The machine alone: no clock, no I/O. Its model is the dry run, whose reply depends on the task only.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use strum::IntoEnumIterator as _;
use tributary_coordinator::{
    engine::{Engine, Machine as _},
    jobs,
    survey::{FinishedSurvey, Survey},
    tasks::NewTask,
};
use tributary_protocol::{
    budget::Window,
    id::BlobId,
    job::{Job, Request},
    settings::JobSettings,
    source::{Chunk, Source, SourceId},
    survey::{
        SurveyKind, SurveyProduct, SurveySettings, SurveyStage, SurveyWork,
        digest::{Digest, Note},
        outline::{Outline, Section, SharedOutline},
        settings::{ConvolutionSettings, GroupBy, GroupingSettings, RefineSettings},
        suggestion::{Candidate, OutlineScore},
    },
    task::{Outcome, Product, Stage, Task, Usage, Verdict, Work},
};

use self::common::{source, survey_job};

fn job(sources: u32, settings: SurveySettings, seed: u64) -> Arc<Job> {
    survey_job(settings, JobSettings::default(), seed, chunked_sources(sources))
}

fn job_of_least_window(sources: u32, seed: u64) -> Arc<Job> {
    let settings = JobSettings { window: Window(JobSettings::LEAST_WINDOW), ..JobSettings::default() };
    survey_job(SurveySettings::default(), settings, seed, chunked_sources(sources))
}

fn chunked_sources(count: u32) -> Vec<Source> {
    (1..=count).map(|id| source(id, (0..1 + id % 5 / 4).map(|n| chunk(id, n)).collect())).collect()
}

fn chunk(id: u32, n: u32) -> Chunk {
    Chunk { text: BlobId::of_bytes(&[id, n].map(u32::to_le_bytes).concat()), tokens: 900, start: 0 }
}

fn begin(job: &Arc<Job>) -> (Engine<Survey>, Vec<NewTask>) {
    match &job.request {
        Request::Survey(request) => Survey::begin(job.clone(), request),
        Request::Answer(_) => unreachable!("these jobs are surveys"),
    }
}

fn work_of(task: &Task) -> &SurveyWork {
    match &task.work {
        Work::Survey(_, work) => work,
        Work::Answer(..) => unreachable!("these jobs are surveys"),
    }
}

fn kind_of(task: &Task) -> SurveyKind {
    work_of(task).into()
}

fn dry_run(task: &Task) -> Outcome {
    jobs::dry_run(task).outcome
}

/// Plays a job to its end; `next` chooses, of the tasks that are open, the one whose outcome comes next.
fn play(
    job: &Arc<Job>,
    mut next: impl FnMut(&[NewTask]) -> usize,
    reply: impl Fn(&Task) -> Outcome,
) -> (Engine<Survey>, Vec<Outcome>) {
    let (mut machine, mut open) = begin(job);
    let mut journal = Vec::new();
    while !open.is_empty() {
        let task = open.swap_remove(next(&open)).task;
        let outcome = reply(&task);
        open.extend(machine.apply(&outcome));
        journal.push(outcome);
    }
    (machine, journal)
}

fn article_of(machine: &Engine<Survey>) -> Arc<FinishedSurvey> {
    machine.pipeline().finished().expect("a job whose tasks have all ended is finished").clone()
}

fn kinds_of(job: &Arc<Job>) -> BTreeMap<SurveyKind, usize> {
    let kinds = std::cell::RefCell::new(BTreeMap::new());
    play(
        job,
        |_| 0,
        |task| {
            *kinds.borrow_mut().entry(kind_of(task)).or_default() += 1;
            dry_run(task)
        },
    );
    kinds.into_inner()
}

fn failed(task: &Task) -> Outcome {
    let verdict = Verdict::Failed { reason: "no reply could be used".into() };
    Outcome { task: task.id, verdict, usage: Usage::default(), citations_removed: 0 }
}

#[test]
fn every_stage_of_the_algorithm_is_gone_through() {
    let job = job(40, SurveySettings::default(), 1);
    let (machine, _) = play(&job, |_| 0, dry_run);
    for stage in SurveyStage::iter() {
        let progress = machine.progress().stages[&Stage::from(stage)];
        assert!(progress.asked > 0 && progress.asked == progress.ended, "{stage:?}: {progress:?}");
    }
    let kinds = kinds_of(&job);
    assert_eq!(kinds[&SurveyKind::Group], 1);
    assert_eq!(kinds[&SurveyKind::Outline], 5, "14 groups, three to an outline");
    assert_eq!(kinds[&SurveyKind::MergeOutlines], 1);
    assert!(kinds[&SurveyKind::Digest] >= 48, "40 sources, of which 8 have two chunks");
    assert_eq!(kinds[&SurveyKind::Feedback], 14);
    assert!(article_of(&machine).silent.is_empty());
}

#[test]
fn many_candidates_are_pooled_before_any_is_scored() {
    let settings =
        SurveySettings { refine: RefineSettings { rounds: 0, ..Default::default() }, ..SurveySettings::default() };
    let kinds = kinds_of(&job(187, settings.clone(), 1));
    // 63 candidates to 21 fields, then five layers of ten.
    assert_eq!(kinds[&SurveyKind::Convolve], 21 + 5 * 10);
    assert_eq!(kinds[&SurveyKind::Score], 21 + 5 * 10);
    let impatient = ConvolutionSettings { patience: 1, ..settings.convolution };
    let kinds = kinds_of(&job(187, SurveySettings { convolution: impatient, ..settings }, 1));
    assert!(kinds[&SurveyKind::Convolve] < 71, "layers stop when the score has stopped rising");
}

/// Answers all that is open but what is held back, until nothing else is; gives the works that were asked by then.
fn asked_without(job: &Arc<Job>, held: impl Fn(&Task) -> bool) -> Vec<Task> {
    let (mut machine, mut open) = begin(job);
    let mut asked = Vec::new();
    while let Some(NewTask { task, .. }) = open.pop() {
        if !held(&task) {
            open.extend(machine.apply(&dry_run(&task)));
        }
        asked.push(task);
    }
    asked
}

fn count(asked: &[Task], kind: SurveyKind, place: &str) -> usize {
    asked.iter().filter(|task| kind_of(task) == kind && task.place.starts_with(place)).count()
}

#[test]
fn first_outlines_wait_for_no_groups_and_reading_does() {
    let asked = asked_without(&job(187, SurveySettings::default(), 1), |task| kind_of(task) == SurveyKind::Group);
    assert_eq!(count(&asked, SurveyKind::Outline, ""), 21);
    assert_eq!((count(&asked, SurveyKind::MergeOutlines, ""), count(&asked, SurveyKind::Digest, "")), (1, 0));
}

#[test]
fn a_layer_is_merged_while_the_one_before_it_is_judged() {
    let job = job(187, SurveySettings::default(), 1);
    let asked = asked_without(&job, |task| kind_of(task) == SurveyKind::Score);
    assert_eq!(count(&asked, SurveyKind::Convolve, "convolution 2/"), 10, "the first that is drawn needs no scores");
    assert_eq!(count(&asked, SurveyKind::Convolve, "convolution 3/"), 0);
    let asked =
        asked_without(&job, |task| kind_of(task) == SurveyKind::Score && !task.place.starts_with("convolution 1/"));
    assert_eq!(count(&asked, SurveyKind::Convolve, "convolution 3/"), 10);
    assert_eq!(count(&asked, SurveyKind::Convolve, "convolution 4/"), 0);
}

#[test]
fn no_field_waits_for_others_than_its_members() {
    let last_group_of = |task: &Task| task.place == "feedback 63/1";
    let asked = asked_without(&job(187, SurveySettings::default(), 1), last_group_of);
    let merged = count(&asked, SurveyKind::Convolve, "convolution 2/");
    assert!((1..10).contains(&merged), "{merged} of ten fields have other members than the last");
}

#[test]
fn refinement_begins_beside_the_last_layers() {
    let job = job(187, SurveySettings::default(), 1);
    let last = |task: &Task| kind_of(task) == SurveyKind::Score && task.place.starts_with("convolution 4/");
    let asked = asked_without(&job, last);
    assert_eq!(
        (count(&asked, SurveyKind::Refine, "refine 1/"), count(&asked, SurveyKind::Refine, "refine 2/")),
        (3, 0)
    );
    assert_eq!(kinds_of(&job)[&SurveyKind::Refine], 9, "three tries of three rounds");
}

#[test]
fn each_round_mends_the_best_that_is_known_by_then() {
    let job = job(187, SurveySettings::default(), 1);
    let mended_from = |best: &str| {
        let (mut machine, mut open) = begin(&job);
        let (mut found, mut mended) = (None, Vec::new());
        while let Some(NewTask { task, .. }) = open.pop() {
            let mut outcome = dry_run(&task);
            match work_of(&task) {
                SurveyWork::Score { outline } => {
                    let is_best = task.place == format!("{best} score");
                    let mark = if is_best { 9.0 } else { 1.0 };
                    found = found.or(is_best.then(|| outline.clone()));
                    let score = SurveyProduct::Score(OutlineScore { structure: mark, descriptions: mark });
                    outcome.verdict = Verdict::Done(score.into());
                }
                SurveyWork::Refine { outline, .. } => mended.push((task.place.clone(), outline.clone())),
                _ => {}
            }
            open.extend(machine.apply(&outcome));
        }
        mended.retain(|(_, outline)| Some(outline) == found.as_ref());
        mended.into_iter().map(|(place, _)| place).collect::<BTreeSet<_>>()
    };
    let places = |places: &[&str]| places.iter().map(|place| place.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(mended_from("convolution 5/7"), places(&["refine 3/1", "refine 3/2", "refine 3/3"]));
    assert_eq!(mended_from("refine 1/2"), places(&["refine 2/2", "refine 3/2"]));
}

#[test]
fn what_the_machine_has_seen_already_changes_nothing() {
    let job = job(20, SurveySettings::default(), 1);
    let (mut machine, journal) = play(&job, |_| 0, dry_run);
    let before = (article_of(&machine), machine.progress().clone());
    for outcome in &journal {
        assert!(machine.apply(outcome).is_empty());
    }
    assert_eq!(before, (article_of(&machine), machine.progress().clone()));
}

#[test]
fn a_stopped_task_stays_open() {
    let (mut machine, first) = begin(&job(20, SurveySettings::default(), 1));
    let verdict = Verdict::Stopped { reason: "wrong key".into() };
    let outcome = Outcome { task: first[0].task.id, verdict, usage: Usage::default(), citations_removed: 0 };
    assert!(machine.apply(&outcome).is_empty());
    assert!(machine.awaits(first[0].task.id) && machine.pipeline().flaws().is_empty());
}

#[test]
fn a_job_whose_every_task_fails_still_ends_and_names_each() {
    let job = job(30, SurveySettings::default(), 1);
    let (machine, journal) = play(&job, |_| 0, failed);
    assert_eq!(machine.pipeline().flaws().len(), journal.len());
    assert_eq!(article_of(&machine).silent.len(), 30);
}

#[test]
fn sections_that_no_source_says_anything_for_are_named() {
    let leaves = std::cell::RefCell::new(Vec::new());
    let only_of_the_last = |task: &Task| {
        let mut outcome = dry_run(task);
        if let (
            SurveyWork::Digest { outline, only, .. },
            Verdict::Done(Product::Survey(SurveyProduct::Digest(digest))),
        ) = (work_of(task), &mut outcome.verdict)
        {
            *leaves.borrow_mut() = outline.leaves().map(|leaf| leaf.title.clone()).collect();
            let last = outline.leaves().last().and_then(|leaf| leaf.origin);
            digest.notes.retain(|_| only.is_empty());
            digest.notes.iter_mut().for_each(|(leaf, _)| *leaf = last.unwrap());
        }
        outcome
    };
    let (machine, _) = play(&job(30, SurveySettings::default(), 1), |_| 0, only_of_the_last);
    let finished = article_of(&machine);
    let chapters = finished.article.sections.iter();
    let written = chapters.flat_map(|chapter| &chapter.children).map(|leaf| leaf.title.clone());
    let left_out = finished.left_out.iter().map(|path| path.split(" > ").last().unwrap().to_owned());
    let (mut told, mut all) = (written.chain(left_out).collect::<Vec<_>>(), leaves.into_inner());
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all);
    assert!(finished.left_out.len() > 4, "{:?}", finished.left_out);
}

#[test]
fn one_source_is_enough() {
    let (machine, _) = play(&job(1, SurveySettings::default(), 1), |_| 0, dry_run);
    assert!(!article_of(&machine).article.sections.is_empty());
}

#[test]
fn notes_of_sections_that_an_outline_lost_find_another() {
    let job = job(60, SurveySettings { blocks: 2, ..SurveySettings::default() }, 3);
    let drop_a_chapter = |task: &Task| {
        let mut outcome = dry_run(task);
        if let Verdict::Done(Product::Survey(SurveyProduct::Candidate(candidate))) = &mut outcome.verdict
            && candidate.outline.sections.len() > 2
        {
            let mut outline = Outline::clone(&candidate.outline);
            outline.sections.remove(0);
            candidate.outline = outline.into();
        }
        outcome
    };
    let (machine, _) = play(&job, |_| 0, drop_a_chapter);
    let finished = article_of(&machine);
    assert!(finished.silent.is_empty());
    let in_sections: BTreeSet<_> = finished.notes.iter().flatten().flat_map(|note| note.sources.clone()).collect();
    assert_eq!(in_sections.len(), 60, "every source's notes are behind some section");
}

#[test]
fn no_prompt_outgrows_the_smallest_window() {
    let job = job_of_least_window(300, 5);
    let usable = job.settings.window.usable();
    let check = |task: &Task| {
        let notes = |notes: &[Note]| notes.iter().map(|note| note.tokens).sum::<u32>();
        let data = match work_of(task) {
            SurveyWork::MergeOutlines { outlines } => outlines.iter().map(|outline| outline.tokens()).sum(),
            SurveyWork::Feedback { outline, digests } => {
                outline.tokens() + digests.iter().map(|digest| digest.tokens()).sum::<u32>()
            }
            SurveyWork::Convolve { members } => members.iter().map(|member| member.tokens).sum(),
            SurveyWork::Condense { notes: all, .. }
            | SurveyWork::Write { notes: all, .. }
            | SurveyWork::Illustrate { notes: all, .. } => notes(all),
            SurveyWork::Introduce { children, .. } => children.iter().map(|child| child.tokens).sum(),
            _ => 0,
        };
        assert!(data + 600 < usable, "{}: {data} tokens of data", task.place);
        dry_run(task)
    };
    let (machine, _) = play(&job, |_| 0, check);
    assert!(machine.pipeline().economies().notes_condensed > 0);
}

/// A product in the place of the dry run's.
fn instead(task: &Task, product: SurveyProduct) -> Outcome {
    Outcome { verdict: Verdict::Done(product.into()), ..dry_run(task) }
}

#[test]
fn a_section_of_more_sources_than_fit_a_prompt_is_written_in_parts_and_tells_what_it_leaves_out() {
    let written = std::cell::RefCell::new(BTreeSet::new());
    let asked = std::cell::Cell::new(0);
    let all_in_one = |task: &Task| {
        asked.set(asked.get() + 1);
        assert!(asked.get() < 20_000, "{} is asked without an end", task.place);
        match work_of(task) {
            SurveyWork::Digest { source, outline, .. } => {
                let leaf = outline.leaves().find_map(|leaf| leaf.origin).expect("leaves are numbered");
                let note = Note::new(format!("What {} says of it, in a few words.", source.id), vec![source.id]);
                instead(task, SurveyProduct::Digest(Digest::new(vec![(leaf, note)], String::new())))
            }
            // United as asked for: one note that names them all.
            SurveyWork::Condense { notes, .. } => {
                let sources = notes.iter().flat_map(|note| note.sources.clone()).collect();
                instead(task, SurveyProduct::Notes(vec![Note::new("What all of them say.", sources)]))
            }
            SurveyWork::Write { notes, .. } => {
                written.borrow_mut().extend(notes.iter().flat_map(|note| note.sources.clone()));
                dry_run(task)
            }
            _ => dry_run(task),
        }
    };
    let (machine, _) = play(&job_of_least_window(700, 1), |_| 0, all_in_one);
    assert_eq!((written.borrow().len(), machine.pipeline().economies().notes_left_out), (700, 0));

    // A text has to have an end, and what it leaves out is told.
    written.borrow_mut().clear();
    asked.set(0);
    let (machine, _) = play(&job_of_least_window(4_000, 1), |_| 0, all_in_one);
    assert!(machine.pipeline().finished().is_some() && machine.pipeline().economies().notes_left_out > 0);
    assert!((500..3_000).contains(&written.borrow().len()), "{} sources", written.borrow().len());
}

#[test]
fn outlines_that_no_model_makes_keep_to_the_limits_and_lose_no_source() {
    let outlined_without = |kinds: &[SurveyKind]| {
        let mut read = None;
        let (mut machine, mut open) = begin(&job(60, SurveySettings::default(), 1));
        while let Some(NewTask { task, .. }) = open.pop() {
            if let Work::Survey(brief, SurveyWork::Digest { outline, .. }) = &task.work {
                read = Some((outline.clone(), brief.limits));
                break;
            }
            let fails = kinds.contains(&kind_of(&task));
            open.extend(machine.apply(&if fails { failed(&task) } else { dry_run(&task) }));
        }
        read.expect("the sources are read")
    };
    for kinds in
        [&[SurveyKind::MergeOutlines][..], &[SurveyKind::Outline], &[SurveyKind::Outline, SurveyKind::MergeOutlines]]
    {
        let (outline, limits) = outlined_without(kinds);
        assert!(outline.walk().count() <= limits.sections as usize, "{outline:?}");
        assert!(outline.tokens() <= limits.outline, "{outline:?}");
        let named: BTreeSet<_> = outline.walk().flat_map(|placed| placed.section.sources.clone()).collect();
        assert_eq!(named.len(), 60, "{kinds:?}");
    }
}

#[test]
fn notes_that_hardly_grow_fewer_are_not_condensed_over_and_over() {
    let levels = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
    let wordy = |task: &Task| match work_of(task) {
        // One in five can be said along with others.
        SurveyWork::Condense { notes, .. } => {
            let level = task.place.split(['/', ' ']).rev().nth(1).expect("section, level and batch");
            *levels.borrow_mut().entry(level.to_owned()).or_default() += 1;
            instead(task, SurveyProduct::Notes(notes[notes.len() / 5..].to_vec()))
        }
        _ => dry_run(task),
    };
    let (machine, _) = play(&job_of_least_window(2_000, 1), |_| 0, wordy);
    assert!(machine.pipeline().finished().is_some());
    let levels = levels.into_inner();
    assert!(levels["1"] > 100 && levels.len() == 1, "{levels:?}");
}

#[test]
fn a_leaf_that_continues_a_chapter_gets_the_notes_of_what_stood_below_it() {
    let section = |title: &str, children: Vec<Section>| Section {
        origin: None,
        title: title.to_owned(),
        extract: String::new(),
        analyse: String::new(),
        sources: Vec::new(),
        children,
    };
    let rivers = vec![section("Floods", Vec::new()), section("Sediment", Vec::new())];
    let first = Outline { sections: vec![section("Volcanoes", Vec::new()), section("Rivers", rivers)] };
    let folded = |task: &Task| match work_of(task) {
        SurveyWork::Outline { .. } | SurveyWork::MergeOutlines { .. } => {
            instead(task, SurveyProduct::Outline(first.clone().into()))
        }
        // It has nothing to add when it is asked again.
        SurveyWork::Digest { only, .. } if !only.is_empty() => {
            instead(task, SurveyProduct::Digest(Digest::new(Vec::new(), String::new())))
        }
        SurveyWork::Digest { source, outline, .. } => {
            let floods = outline.walk().find(|placed| placed.section.title == "Floods");
            let leaf = floods.and_then(|placed| placed.section.origin).expect("the first outline has it");
            let note = Note::new("An observation in words of its own.", vec![source.id]);
            instead(task, SurveyProduct::Digest(Digest::new(vec![(leaf, note)], "Fold the rivers.".into())))
        }
        SurveyWork::Feedback { .. } | SurveyWork::Convolve { .. } | SurveyWork::Refine { .. } => {
            let mut outline = first.clone().numbered();
            outline.sections[1].title = "Waterways".into();
            outline.sections[1].children.clear();
            let outline = SharedOutline::new(outline);
            let tokens = outline.tokens();
            instead(task, SurveyProduct::Candidate(Candidate { suggestion: "Fold them.".into(), outline, tokens }))
        }
        _ => dry_run(task),
    };
    let (machine, _) = play(&job(9, SurveySettings::default(), 1), |_| 0, folded);
    let finished = article_of(&machine);
    let titles: Vec<_> = finished.article.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Waterways"], "nobody has said anything of volcanoes");
    let said: BTreeSet<_> = finished.notes.iter().flatten().flat_map(|note| note.sources.clone()).collect();
    assert_eq!(said.len(), 9);
}

/// What sources are read for again, and the notes of the article's only section, where the last outline is the first with
/// this for what the section is to say.
fn read_again_for(extract: &str) -> (usize, Vec<Note>) {
    let section = |extract: &str| Section {
        origin: None,
        title: "Rivers".to_owned(),
        extract: extract.to_owned(),
        analyse: String::new(),
        sources: Vec::new(),
        children: Vec::new(),
    };
    let first = Outline { sections: vec![section("How high the water stood in winter, and for how long")] };
    let again = std::cell::Cell::new(0);
    let reply = |task: &Task| match work_of(task) {
        SurveyWork::Outline { .. } | SurveyWork::MergeOutlines { .. } => {
            instead(task, SurveyProduct::Outline(first.clone().into()))
        }
        SurveyWork::Digest { source, outline, only, .. } => {
            let leaf = outline.leaves().find_map(|leaf| leaf.origin).expect("leaves are numbered");
            again.set(again.get() + usize::from(!only.is_empty()));
            let reading = if only.is_empty() { "first" } else { "second" };
            let notes = vec![(leaf, Note::new(format!("Of the {reading} reading."), vec![source.id]))];
            // The second has nothing new of the last source.
            let notes = if !only.is_empty() && source.id == SourceId(9) { Vec::new() } else { notes };
            instead(task, SurveyProduct::Digest(Digest::new(notes, "Say more.".into())))
        }
        SurveyWork::Feedback { .. } | SurveyWork::Convolve { .. } | SurveyWork::Refine { .. } => {
            let mut outline = first.clone().numbered();
            outline.sections[0].extract = extract.to_owned();
            let outline = SharedOutline::new(outline);
            let tokens = outline.tokens();
            instead(task, SurveyProduct::Candidate(Candidate { suggestion: "Say more.".into(), outline, tokens }))
        }
        _ => dry_run(task),
    };
    let (machine, _) = play(&job(9, SurveySettings::default(), 1), |_| 0, reply);
    (again.get(), article_of(&machine).notes.concat())
}

#[test]
fn sources_are_read_again_for_a_section_that_says_something_else() {
    let (again, notes) = read_again_for("For how long the waters stood high, winter by winter");
    // Two of the nine sources have two chunks.
    assert_eq!((again, notes.len()), (0, 11), "other words for the same");
    let (again, notes) = read_again_for("Which fishes live there, what they eat, and who catches them");
    assert_eq!((again, notes.len()), (11, 11));
    let of_first: Vec<_> = notes.iter().filter(|note| note.text.contains("first")).collect();
    assert_eq!(of_first.len(), 2, "{of_first:?}");
    assert!(of_first.iter().all(|note| note.sources == [SourceId(9)]), "what is not said anew stays");
}

fn settings() -> impl Strategy<Value = SurveySettings> {
    (
        prop_oneof![Just(GroupBy::Model), Just(GroupBy::Random), Just(GroupBy::Lexical)],
        1u32..4,
        2u32..4,
        1u32..4,
        0u32..3,
        (1u32..12, 1u32..7),
        (0u32..5, 1u32..4, any::<bool>()),
        1u32..3,
    )
        .prop_map(
            |(by, size, width, layers, patience, (results, top_k), (rounds, best_of, stop_early), blocks)| {
                let defaults = SurveySettings::default();
                let grouping = GroupingSettings { by, size };
                let convolution = ConvolutionSettings { layers, width, results, top_k, patience };
                let refine = RefineSettings { rounds, best_of, stop_early };
                SurveySettings { grouping, convolution, refine, blocks, ..defaults }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The heart of the design: arrival decides nothing, replay is recovery, and a lost or repeated event does no harm.
    #[test]
    fn any_order_any_repetition_and_any_restart_give_the_same_article(
        sources in prop_oneof![9 => 1u32..60, 1 => 201u32..230], settings in settings(), seed: u64, order: u64, failing in 0u8..3,
    ) {
        let job = job(sources, settings, seed);
        let reply = |task: &Task| {
            let fails = task.id.to_string().as_bytes()[0] % 10 < failing;
            if fails { failed(task) } else { dry_run(task) }
        };
        let (in_order, _) = play(&job, |_| 0, reply);

        let mut chance = ChaCha8Rng::seed_from_u64(order);
        let (shuffled, mut journal) = play(&job, |open| chance.random_range(0..open.len()), reply);
        prop_assert_eq!(article_of(&in_order), article_of(&shuffled));
        prop_assert_eq!(in_order.pipeline().flaws(), shuffled.pipeline().flaws());

        // A restart: the journal has holes, some of it is there twice and in another order, and what is open afterwards
        // is asked again.
        let kept = chance.random::<f64>();
        journal.retain(|_| chance.random_bool(kept));
        let repeated: Vec<Outcome> = journal.iter().filter(|_| chance.random_bool(0.3)).cloned().collect();
        journal.extend(repeated);
        journal.shuffle(&mut chance);
        let by_id = |new: NewTask| (new.task.id, new);
        let (mut replayed, first) = begin(&job);
        let mut open: BTreeMap<_, NewTask> = first.into_iter().map(by_id).collect();
        for outcome in &journal {
            open.remove(&outcome.task);
            open.extend(replayed.apply(outcome).into_iter().map(by_id));
        }
        let mut open: Vec<NewTask> = open.into_values().collect();
        open.shuffle(&mut chance);
        while let Some(NewTask { task, .. }) = open.pop() {
            open.extend(replayed.apply(&reply(&task)));
        }
        prop_assert_eq!(article_of(&in_order), article_of(&replayed));
        prop_assert_eq!(in_order.progress(), replayed.progress());
    }
}
