use std::time::Duration;

use tributary_protocol::{
    source::SourceId,
    survey::{SurveyKind, SurveyProduct, SurveyWork},
    task::{Product, Usage, Verdict},
};

use super::*;
use crate::{
    kernel,
    model::{MessageRole, ModelError},
    testing::{Scripted, Shared, note, section_brief, task, work},
    throttle::{LocalThrottle, RateLimits},
};

const GOOD: &str = r#"{"paragraphs":[{"sentences":[{"text":"The moon pulls.","sources":["S1","S2"]}]}]}"#;
const CITES_NOTHING: &str = r#"{"paragraphs":[{"sentences":[{"text":"The moon pulls.","sources":[]}]}]}"#;
const LEAVES_OUT: &str = r#"{"paragraphs":[{"sentences":[{"text":"The moon pulls.","sources":["S1"]}]}]}"#;

fn performer(bus: &Shared, model: &Arc<Scripted>) -> Performer {
    let model = Arc::clone(model);
    let models = ModelRegistry::new(move |_| {
        let throttle = Arc::new(LocalThrottle::new(RateLimits::default()));
        let price = ModelPrice { prompt: 1.0, reply: 2.0, cached_prompt: None };
        Ok(ConnectedModel {
            model: Arc::clone(&model) as Arc<dyn crate::model::LanguageModel>,
            throttle,
            price,
            reasoning_room: ReasoningRoom::default(),
        })
    });
    Performer::new(Arc::new(bus.clone()), models, RetryPatience::default())
}

fn write_task() -> Arc<Task> {
    task(work(SurveyKind::Write, "The sea follows the moon around the earth.").0)
}

async fn outcome(model: &Arc<Scripted>) -> Outcome {
    performer(&Shared::default(), model).perform(&write_task()).await.unwrap()
}

#[tokio::test]
async fn a_bad_reply_goes_back_with_the_reason_and_the_next_is_taken() {
    let model = Scripted::saying([Ok(CITES_NOTHING), Ok("no JSON"), Ok(GOOD)]);
    let outcome = outcome(&model).await;
    assert!(matches!(outcome.verdict, Verdict::Done(_)), "{outcome:?}");
    assert_eq!((outcome.usage.calls, outcome.usage.calls_failed), (3, 0));
    assert!(outcome.usage.prompt_tokens > 0 && outcome.usage.cost_micros > outcome.usage.prompt_tokens);
    let asked = model.asked.lock().unwrap();
    let roles: Vec<_> = asked[1].messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [MessageRole::System, MessageRole::User, MessageRole::Assistant, MessageRole::User]);
    assert!(asked[1].messages[3].text.contains("no sentence names the handle"));
    assert_eq!(asked[1].messages[2].text, CITES_NOTHING);
    // What isn't JSON is not worth showing again.
    assert_eq!(asked[2].messages.len(), 2);
}

#[tokio::test]
async fn after_its_repairs_a_task_falls_back_and_says_so() {
    let model = Scripted::saying([Ok(CITES_NOTHING), Ok(CITES_NOTHING), Ok("{}"), Ok(GOOD)]);
    let outcome = outcome(&model).await;
    let Verdict::Degraded { product: Product::Survey(SurveyProduct::Passage(_)), reason } = outcome.verdict else {
        panic!("{outcome:?}")
    };
    assert!(reason.contains("paragraphs"), "{reason}");
    assert_eq!(model.calls(), 3);
}

#[tokio::test]
async fn a_light_flaw_is_told_once_and_then_forgiven() {
    let model = Scripted::saying([Ok(LEAVES_OUT), Ok(LEAVES_OUT)]);
    let forgiven = outcome(&model).await;
    assert!(matches!(forgiven.verdict, Verdict::Done(_)));
    assert!(model.asked.lock().unwrap()[1].messages[3].text.contains("S2"));
    // What was good enough isn't lost to a worse second try.
    let model = Scripted::saying([Ok(LEAVES_OUT), Ok("{}")]);
    assert!(matches!(outcome(&model).await.verdict, Verdict::Done(_)));
}

#[tokio::test]
async fn an_answered_call_is_never_made_again() {
    let bus = Shared::default();
    let model = Scripted::saying([Ok(CITES_NOTHING), Ok(GOOD)]);
    let first = performer(&bus, &model).perform(&write_task()).await.unwrap();
    let silent = Scripted::saying([]);
    let second = performer(&bus, &silent).perform(&write_task()).await.unwrap();
    assert_eq!(first.verdict, second.verdict);
    assert_eq!((second.usage.calls, second.usage.calls_from_cache, silent.calls()), (0, 2, 0));
}

#[tokio::test]
async fn an_answer_that_was_paid_for_before_an_upgrade_is_not_paid_for_again() {
    let (bus, task) = (Shared::default(), write_task());
    let call = kernel::first_call(&task.work, &[]).unwrap().id("openai/scripted");
    let length = u8::try_from(GOOD.len()).unwrap();
    let written_by_version_2 = [&b"\0\x02\x81\xa4Text\xd9"[..], &[length], GOOD.as_bytes()].concat();
    bus.keep_reply(call, written_by_version_2.into()).await.unwrap();
    let silent = Scripted::saying([]);
    let outcome = performer(&bus, &silent).perform(&task).await.unwrap();
    assert!(matches!(outcome.verdict, Verdict::Done(_)), "{outcome:?}");
    assert_eq!((outcome.usage.calls_from_cache, silent.calls()), (1, 0));
}

#[tokio::test]
async fn equal_calls_at_the_same_time_are_paid_once() {
    let model = Scripted::saying([Ok(GOOD)]);
    let performer = performer(&Shared::default(), &model);
    let task = write_task();
    let (one, other) = tokio::join!(performer.perform(&task), performer.perform(&task));
    assert_eq!(one.unwrap().verdict, other.unwrap().verdict);
    assert_eq!(model.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_waited_out() {
    let unavailable = || Err(ModelError::Unavailable { message: "503".into() });
    let limited = || {
        let retry_after = Some(Duration::from_secs(20));
        Err(ModelError::RateLimited { retry_after, message: "429".into() })
    };
    let lines = std::iter::repeat_with(limited).take(10).chain([unavailable(), unavailable(), Ok(GOOD)]);
    let model = Scripted::saying(lines);
    let begun = tokio::time::Instant::now();
    let outcome = outcome(&model).await;
    assert!(matches!(outcome.verdict, Verdict::Done(_)), "{outcome:?}");
    assert_eq!((outcome.usage.calls, outcome.usage.calls_failed), (1, 12));
    assert!(begun.elapsed() >= Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn who_is_to_wait_for_a_day_stops_at_once_and_so_do_those_in_line() {
    let day = Some(Duration::from_secs(86_400));
    let quota = || Err(ModelError::RateLimited { retry_after: day, message: "429: no more today".into() });
    let model = Scripted::saying([quota(), quota(), Ok(GOOD)]);
    let performer = performer(&Shared::default(), &model);
    let begun = tokio::time::Instant::now();
    for calls in [1, 1] {
        let outcome = performer.perform(&write_task()).await.unwrap();
        assert!(matches!(outcome.verdict, Verdict::Stopped { .. }), "{outcome:?}");
        assert_eq!((begun.elapsed(), model.calls()), (Duration::ZERO, calls));
    }
    // What the provider says is not believed for ever: its quota may have been raised.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(matches!(performer.perform(&write_task()).await.unwrap().verdict, Verdict::Stopped { .. }));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(matches!(performer.perform(&write_task()).await.unwrap().verdict, Verdict::Done(_)));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_answers_nobody_stops_the_job_and_degrades_nothing() {
    let outcome = outcome(&Scripted::saying([])).await;
    let Verdict::Stopped { reason } = &outcome.verdict else { panic!("{outcome:?}") };
    assert!(reason.contains("openai/scripted isn't answering: nobody is there"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_alone_goes_without_an_answer_costs_its_task_alone() {
    let unavailable = || Err(ModelError::Unavailable { message: "500".into() });
    let model = Scripted::saying(std::iter::repeat_with(unavailable).take(6).chain([Ok("5")]));
    let outcome = outcome(&model).await;
    let Verdict::Degraded { reason, .. } = &outcome.verdict else { panic!("{outcome:?}") };
    assert!(reason.contains("500"), "{reason}");
    assert_eq!((outcome.usage.calls, outcome.usage.calls_failed), (1, 6), "the seventh was a trial");
}

#[tokio::test]
async fn a_wrong_key_stops_the_job() {
    let model = Scripted::saying([Err(ModelError::Fatal { message: "wrong key".into() })]);
    assert_eq!(outcome(&model).await.verdict, Verdict::Stopped { reason: "wrong key".into() });
}

#[tokio::test]
async fn one_request_that_is_taken_for_wrong_stops_nothing_where_others_were_answered() {
    let rejected = || Err(ModelError::Rejected { message: "400".into() });
    let wrong = outcome(&Scripted::saying([rejected(), rejected()])).await;
    assert!(matches!(wrong.verdict, Verdict::Stopped { .. }), "{wrong:?}");
    let odd = outcome(&Scripted::saying([rejected(), Ok("5")])).await;
    assert!(matches!(odd.verdict, Verdict::Degraded { .. }), "{odd:?}");
}

#[tokio::test]
async fn work_that_is_too_long_for_the_model_is_done_in_halves() {
    const ONE: &str = r#"{"paragraphs":[{"sentences":[{"text":"One says so.","sources":["S1"]}]}]}"#;
    const TWO: &str = r#"{"paragraphs":[{"sentences":[{"text":"Two says so.","sources":["S2"]}]}]}"#;
    let too_long = Err(ModelError::TooLong { message: "too long".into() });
    let model = Scripted::saying([too_long, Ok(ONE), Ok(TWO)]);
    let notes = vec![note("The moon.", &[1]), note("The sun.", &[2])];
    let task = task(SurveyWork::Write { section: section_brief(), notes, words: 200 });
    let outcome = performer(&Shared::default(), &model).perform(&task).await.unwrap();
    let Verdict::Done(Product::Survey(SurveyProduct::Passage(passage))) = outcome.verdict else {
        panic!("{outcome:?}")
    };
    let cited: Vec<_> = passage.sentences().flat_map(|sentence| sentence.sources.clone()).collect();
    assert_eq!(cited, [SourceId(1), SourceId(2)]);
}

#[tokio::test]
async fn a_cut_reply_is_asked_for_again_with_more_room() {
    let cut = || {
        Err(ModelError::Cut { model: "m".into(), partial: "{".into(), in_thought: false, usage: Default::default() })
    };
    let model = Scripted::saying([cut(), Ok(GOOD)]);
    assert!(matches!(outcome(&model).await.verdict, Verdict::Done(_)));
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked[1].max_reply_tokens, asked[0].max_reply_tokens * 2);
    assert!(asked[1].messages[1].text.contains("Be briefer"));
}

#[tokio::test]
async fn a_model_that_was_cut_off_in_thought_gets_more_room_from_then_on() {
    let cut = |reply_tokens| {
        let usage = crate::model::TokenUsage { reply_tokens, ..Default::default() };
        Err(ModelError::Cut { model: "m".into(), partial: String::new(), in_thought: true, usage })
    };
    let model = Scripted::saying([cut(300), cut(4_400), Ok(GOOD), Ok(GOOD)]);
    let performer = performer(&Shared::default(), &model);
    let outcome = performer.perform(&write_task()).await.unwrap();
    assert!(matches!(outcome.verdict, Verdict::Done(_)), "{outcome:?}");
    assert_eq!((outcome.usage.calls, outcome.usage.reply_tokens > 4_700), (3, true), "all of it is paid");
    performer.perform(&task(work(SurveyKind::Write, "Another matter.").0)).await.unwrap();
    let asked = model.asked.lock().unwrap();
    let rooms: Vec<_> = asked.iter().map(|call| call.max_reply_tokens - asked[0].max_reply_tokens).collect();
    assert_eq!(rooms, [0, 4_096, 16_384, 16_384]);
    assert_eq!(asked[0].messages, asked[2].messages);
}

#[tokio::test]
async fn a_refusal_is_asked_once_more_with_another_seed() {
    let refused = || Err(ModelError::Refused { model: "m".into(), reason: "no".into(), usage: Default::default() });
    let model = Scripted::saying([refused(), refused(), Ok(GOOD)]);
    let outcome = outcome(&model).await;
    let Verdict::Degraded { reason, .. } = outcome.verdict else { panic!("{outcome:?}") };
    assert_eq!((reason.as_str(), model.calls()), ("the model refuses: no", 2));
    let asked = model.asked.lock().unwrap();
    assert_ne!(asked[0].seed, asked[1].seed);
}

#[tokio::test]
async fn without_a_language_model_no_call_is_made() {
    let (work, blobs) = work(SurveyKind::Digest, "The moon pulls at the sea, and the sea follows it around the earth.");
    let scripted = task(work);
    let bus = Shared::default();
    bus.put(scripted.job, blobs[0].clone()).await.unwrap();
    let mut task = (*scripted).clone();
    task.model = "extractive".into();
    let outcome = performer(&bus, &Scripted::saying([])).perform(&Arc::new(task)).await.unwrap();
    assert!(matches!(outcome.verdict, Verdict::Done(Product::Survey(SurveyProduct::Digest(_)))), "{outcome:?}");
    assert_eq!(outcome.usage, Usage::default());
}

/// Answers each call after its own time, the last time again and again.
struct Timed(std::sync::Mutex<std::collections::VecDeque<u64>>);

#[async_trait]
impl crate::model::LanguageModel for Timed {
    fn name(&self) -> &str {
        "openai/scripted"
    }

    async fn complete(&self, _: &crate::model::ModelCall) -> Result<crate::model::ModelReply, ModelError> {
        let seconds = self.0.lock().unwrap().pop_front().unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(crate::model::ModelReply { text: GOOD.into(), usage: Default::default() })
    }
}

/// After many calls of a second each, one of a minute, that would take a second if it were made again: how long that one
/// takes, and what it costs.
async fn a_straggler(hedge: f64, limits: RateLimits) -> (Duration, Usage) {
    let seconds = std::iter::repeat_n(1, 30).chain([60, 1]).collect();
    let model: Arc<dyn crate::model::LanguageModel> = Arc::new(Timed(std::sync::Mutex::new(seconds)));
    let models = ModelRegistry::new(move |_| {
        let throttle = Arc::new(LocalThrottle::new(limits));
        Ok(ConnectedModel {
            model: Arc::clone(&model),
            throttle,
            price: ModelPrice::default(),
            reasoning_room: ReasoningRoom::default(),
        })
    });
    let patience = RetryPatience { hedge, ..RetryPatience::default() };
    let performer = Performer::new(Arc::new(Shared::default()), models, patience);
    let mut last = None;
    for number in 0..=30 {
        let task = task(work(SurveyKind::Write, &format!("The sea has {number} tides.")).0);
        let begun = tokio::time::Instant::now();
        let usage = performer.perform(&task).await.unwrap().usage;
        last = Some((begun.elapsed(), usage));
    }
    last.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_slower_than_most_is_made_twice_and_both_are_paid() {
    let (took, usage) = a_straggler(0.9, RateLimits::default()).await;
    assert_eq!(took.as_secs(), 2, "a second of patience and one for the second call");
    assert_eq!((usage.calls, usage.calls_hedged, usage.calls_failed), (2, 1, 0));
    let (took, alone) = a_straggler(0.0, RateLimits::default()).await;
    assert_eq!((took.as_secs(), alone.calls, alone.calls_hedged), (60, 1, 0));
    assert_eq!((usage.prompt_tokens, usage.reply_tokens), (alone.prompt_tokens * 2, alone.reply_tokens));
}

#[tokio::test(start_paused = true)]
async fn no_call_is_made_twice_that_the_limits_have_no_room_for() {
    let (took, usage) = a_straggler(0.9, RateLimits { in_flight: Some(1), ..RateLimits::default() }).await;
    assert_eq!((took.as_secs(), usage.calls, usage.calls_hedged), (60, 1, 0));
}
