//! `/file/bot{token}/{path}`: gives out files.
//!
//! In: a GET or HEAD (`connection.rs`). Out: the content, or a part of it. Invariant: only files of
//! the token's environment, found by their exact path; nothing of this machine's disk is reachable.

use crate::fail::Failure;
use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::methods::admit;
use crate::route::Environment;
use crate::shared::Shared;

/// The answer to a download.
pub(crate) fn answer(
    shared: &Shared,
    head: &Head,
    token: &str,
    environment: Environment,
    path: &str,
) -> Answer {
    let not_found = || Answer::failure(&Failure::new(404, "Not Found"));
    let Ok(id) = gramtap_telegram::Token::parse(token).map(|token| token.bot().0) else {
        return not_found();
    };
    let mut world = shared.world(environment);
    if let Err(failure) = admit(
        &mut world,
        id,
        token,
        shared.config.accept_any_token,
        shared.config.clock.now(),
    ) {
        return Answer::failure(&failure);
    }
    let Some(content) = world
        .files
        .by_path(path)
        .and_then(|file| file.content.clone())
    else {
        return not_found();
    };
    let mut answer = Answer::json(200, content);
    answer.content_type = Some("application/octet-stream".into());
    answer.head_only = head.verb.as_ref() == b"HEAD";
    answer
}
