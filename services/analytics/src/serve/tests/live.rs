//! The live page.

use super::subject::Subject;
use crate::serve::api::tests::script::{bot, count, traffic, write};

#[actix_rt::test]
async fn the_page_has_the_newest_records_without_any_script() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, "one").await;
    let mut owner = subject.owner().await;
    let path = format!("/bots/{}/live", tenant.code);
    let page = owner.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("None of the newest records is of this bot")
    );
    let traffic = traffic(tenant.id, 150);
    write(&subject, &traffic).await;
    count(&subject).await;
    let page = owner.get(&path).await.body;
    assert_eq!(page.matches("<time ").count(), 100);
    let newest = traffic.events.last().unwrap().at.to_string();
    let first = page.split_once("<time datetime=\"").unwrap().1;
    assert!(first.starts_with(&newest));
    assert!(page.contains(&format!("data-live=\"{path}/events\"")));
    assert!(page.contains("/errors/000001930000000b\">403</a>") || page.contains("/errors/"));
    let mut stranger = subject.stranger();
    assert_eq!(stranger.get(&path).await.status, 303);
    assert_eq!(stranger.get(&format!("{path}/events")).await.status, 303);
}
