//! What all pages have in common: the frame around them.
//!
//! In: a template of a page, who looks, which bot it is about. Out: HTML. Invariant: every value is escaped by the template
//! engine; a page is written whole or not at all.

use actix_web::HttpResponse;
use askama::Template;

use super::bot::Bot;
use super::fault::Fault;
use super::viewer::Viewer;

/// What `layout.html` is filled with.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The page's title.
    pub title: String,
    /// Who looks at it.
    pub viewer: Viewer,
    /// The bot that it is about, with its pages.
    pub bot: Option<About>,
}

/// The bot in the frame.
#[derive(Clone, Debug)]
pub struct About {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// Which of its pages is shown: the last part of its path.
    pub page: &'static str,
}

impl Frame {
    /// The frame of a page that is about no bot.
    #[must_use]
    pub fn new(title: impl Into<String>, viewer: Viewer) -> Self {
        Self {
            title: title.into(),
            viewer,
            bot: None,
        }
    }

    /// The frame of a bot's page; `page` is the last part of its path.
    #[must_use]
    pub fn about(bot: &Bot, page: &'static str, title: &str, viewer: Viewer) -> Self {
        let name = bot.label();
        Self {
            title: format!("{title} · {name}"),
            viewer,
            bot: Some(About {
                code: bot.tenant.code.to_string(),
                name,
                page,
            }),
        }
    }
}

/// Writes a page.
pub fn html(page: &impl Template) -> Result<HttpResponse, Fault> {
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page.render()?))
}
