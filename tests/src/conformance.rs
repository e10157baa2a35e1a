//! What a bus promises, as tests that every adapter passes.
//!
//! Each function is one behaviour. [`for_each_behaviour`](crate::for_each_behaviour) names them all, so that an adapter's
//! tests can't leave one out.

mod fixtures;
mod gossip;
mod jobs;
mod journal;
mod kept;
mod tasks;

pub use self::{fixtures::*, gossip::*, jobs::*, journal::*, kept::*, tasks::*};

/// Calls a macro with the names of all behaviours.
#[macro_export]
macro_rules! for_each_behaviour {
    ($call:ident) => {
        $call! {
            a_task_that_is_done_is_gone
            a_task_published_again_while_it_is_out_is_delivered_once
            tasks_of_a_kind_come_in_the_order_of_publication
            a_dropped_delivery_comes_back
            a_task_handed_back_comes_back_after_its_delay
            a_task_passed_on_comes_back_unless_its_job_was_cleared
            a_worker_gets_only_the_kinds_that_it_serves
            workers_at_once_get_each_task_once
            a_pull_that_is_given_up_loses_no_task
            unfinished_tasks_of_one_job_hold_up_no_other
            a_kind_that_always_has_tasks_keeps_no_worker_from_the_others
            a_task_larger_than_a_message_arrives
            tasks_that_are_out_are_counted_by_kind
            a_journal_gives_what_was_there_then_says_so_then_follows
            a_journal_keeps_the_first_outcome_of_a_task
            a_stopped_outcome_does_not_end_its_task
            journals_of_jobs_are_apart
            outcomes_recorded_at_once_are_all_kept_in_one_order
            an_outcome_larger_than_a_message_is_kept
            a_blob_is_stored_once_and_belongs_to_its_job
            a_blob_of_twenty_megabytes_is_stored
            a_reply_is_kept_and_outlives_its_job
            a_cleared_job_leaves_nothing_and_may_begin_again
            clearing_a_job_leaves_the_others
            clearing_a_jobs_work_keeps_its_blobs
            what_was_acknowledged_is_there_when_the_bus_is_opened_again
            an_outstanding_task_published_again_after_reopening_is_delivered_once
            a_job_is_held_by_one_coordinator_until_it_is_over
            a_dropped_claim_goes_to_another_coordinator
            a_submitted_job_outlives_the_process
            a_state_gives_way_only_to_a_later_one_whoever_writes_at_once
            how_jobs_stand_can_be_read_listed_and_watched
            a_wish_to_cancel_is_told_before_and_after_until_it_is_taken_back
            a_result_is_kept_until_it_is_forgotten
            a_word_reaches_everybody_in_its_group_and_nobody_else
        }
    };
}
