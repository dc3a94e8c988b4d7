//! Counted tasks and threads: each is told of from its start to its end, whichever end that is.

use std::{future::pending, time::Duration};

use gramtap_actors::{TaskEnd, TaskError, spawn, spawn_local, spawn_thread};

use crate::{
    LONG, locally,
    recorder::{Event, events, record},
};

const ENDED: fn(TaskEnd) -> [Event; 2] = |end| [Event::Started, Event::Ended(end)];

#[tokio::test]
async fn a_task_gives_its_value() {
    record();
    assert_eq!(spawn("valued", async { 42 }).await, Ok(42));
    assert_eq!(events("valued"), ENDED(TaskEnd::Finished));
    locally(async {
        let not_send = std::rc::Rc::new(43);
        assert_eq!(
            spawn_local("valued here", async move { *not_send }).await,
            Ok(43)
        );
    })
    .await;
    assert_eq!(events("valued here"), ENDED(TaskEnd::Finished));
}

#[tokio::test]
async fn a_panic_is_caught_and_counted() {
    record();
    assert_eq!(
        spawn("panicking", async { panic!("on purpose") }).await,
        Err::<(), _>(TaskError::Panicked)
    );
    assert_eq!(events("panicking"), ENDED(TaskEnd::Panicked));
    locally(async {
        let here = spawn_local("panicking here", async { panic!("on purpose") });
        assert_eq!(here.await, Err::<(), _>(TaskError::Panicked));
    })
    .await;
    assert_eq!(events("panicking here"), ENDED(TaskEnd::Panicked));
}

#[tokio::test]
async fn a_panic_is_counted_though_nobody_waits() {
    record();
    let task = spawn("unwatched", async { panic!("on purpose") });
    assert!(!task.is_finished());
    drop(task);
    let counted = async {
        while events("unwatched") != ENDED(TaskEnd::Panicked) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, counted).await.expect("counted");
}

#[tokio::test]
async fn an_aborted_task_is_counted() {
    record();
    let task = spawn("aborted", pending::<()>());
    task.abort();
    assert_eq!(task.await, Err(TaskError::Dropped));
    assert_eq!(events("aborted"), ENDED(TaskEnd::Dropped));
}

#[tokio::test]
async fn a_thread_gives_its_value_or_its_panic() {
    record();
    let thread = spawn_thread("thread valued", || {
        std::thread::current().name().map(str::to_owned)
    })
    .unwrap();
    assert_eq!(
        thread.join_within(LONG).await,
        Ok(Some("thread valued".to_owned()))
    );
    assert_eq!(events("thread valued"), ENDED(TaskEnd::Finished));
    let thread = spawn_thread("thread panicked", || panic!("on purpose")).unwrap();
    assert_eq!(
        thread.join_within(LONG).await,
        Err::<(), _>(TaskError::Panicked)
    );
    assert_eq!(events("thread panicked"), ENDED(TaskEnd::Panicked));
    assert_eq!(spawn_thread("thread joined", || 7).unwrap().join(), Ok(7));
    let panicked: Result<(), _> = spawn_thread("thread joined in panic", || panic!("on purpose"))
        .unwrap()
        .join();
    assert_eq!(panicked, Err(TaskError::Panicked));
}

#[tokio::test]
async fn a_thread_that_is_late_is_left_behind() {
    record();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let thread = spawn_thread("late thread", move || blocked.recv().is_err()).unwrap();
    assert!(!thread.is_finished());
    assert_eq!(
        thread.join_within(Duration::from_millis(1)).await,
        Err(TaskError::Late)
    );
    drop(release);
}
