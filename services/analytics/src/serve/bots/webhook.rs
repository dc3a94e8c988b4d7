//! The webhook of a bot: where its updates go, how, and the address that Telegram is told.
//!
//! In: forms of `settings.html`. Out: changes of the registry; `webhook.html`, with the address that Telegram is to be told, shown this once. Invariant: of the bot's own address
//! scheme and host alone are ever shown; an address that Gramtap would never call is refused before anything is changed; the address before is good for a day.

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_endpoint::authority;
use gramtap_events::tenant::Mode;
use gramtap_settings::SecretString;
use gramtap_tenants::{Hook, Tenant, Webhook};
use serde::Deserialize;

use super::settings::{Nothing, back, refuse, told, unsure};
use super::trouble::Trouble;
use crate::query::audit::Action;
use crate::replay;
use crate::serve::Site;
use crate::serve::audit::note;
use crate::serve::bot::Bot;
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;

#[derive(Template)]
#[template(path = "webhook.html")]
struct Page {
    frame: Frame,
    code: String,
    address: String,
    api: String,
    endpoint: String,
    secret: bool,
    max_connections: u8,
    former: bool,
}

/// What is shown of it in the settings.
#[derive(Debug, Default)]
pub(in crate::serve) struct Shown {
    /// Scheme and host; none: there is none here.
    pub(super) endpoint: Option<String>,
    pub(super) has_secret: bool,
    /// A certificate was given for it.
    pub(super) has_ca: bool,
    pub(super) connections: u8,
    /// When the address before ends, if it is still good.
    pub(super) former: bool,
    pub(super) is_inbox: bool,
}

impl Shown {
    pub(super) fn of(site: &Site, tenant: &Tenant) -> Result<Self, Fault> {
        let webhook = site.registry.webhook(tenant)?;
        let webhook = webhook.filter(|_| tenant.hook.is_some());
        let now = (site.clock)();
        let former = tenant.former_hook;
        Ok(Self {
            endpoint: webhook.as_ref().map(Webhook::endpoint),
            has_secret: webhook.as_ref().is_some_and(|it| it.secret.is_some()),
            has_ca: webhook.as_ref().is_some_and(|it| it.ca.is_some()),
            connections: webhook.map_or(Webhook::CONNECTIONS, |it| it.max_connections),
            former: former.is_some_and(|it| it.until.time().unix_timestamp() > now),
            is_inbox: tenant.webhook_mode() == Mode::Inbox,
        })
    }
}

#[derive(Deserialize)]
pub(in crate::serve) struct Given {
    url: SecretString,
    #[serde(default)]
    secret: Option<SecretString>,
    #[serde(default)]
    ca: String,
    #[serde(default)]
    connections: String,
    #[serde(default)]
    mode: String,
}

#[derive(Deserialize)]
pub(in crate::serve) struct Moded {
    mode: String,
}

#[derive(Deserialize)]
pub(in crate::serve) struct Sure {
    #[serde(default)]
    sure: Option<String>,
}

/// Sets it, or another target.
pub(in crate::serve) async fn set(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Given>,
) -> Result<HttpResponse, Fault> {
    let wrong = |text: &str| refuse(&site, &bot, viewer.clone(), Trouble::text(text));
    let mut webhook = match replay::admitted(given.url.expose(), &site.webhooks) {
        Ok(webhook) => webhook,
        Err(error) => return wrong(&format!("The address is refused: {error}.")),
    };
    if !given.connections.trim().is_empty() {
        let connections = given.connections.trim().parse().unwrap_or(0);
        webhook = match webhook.with_connections(connections) {
            Ok(webhook) => webhook,
            Err(error) => return wrong(&format!("{error}.")),
        };
    }
    webhook = match authority::trust(webhook, &given.ca) {
        Ok(webhook) => webhook,
        Err(error) => return wrong(&format!("The certificate is refused: {error}.")),
    };
    webhook.secret = given.secret.filter(|it| !it.expose().is_empty());
    let Some(mode) = mode(&given.mode, &bot.tenant) else {
        return wrong("Choose one of the two ways.");
    };
    let set = site
        .registry
        .set_webhook(bot.tenant.code, &webhook, Some(mode))
        .await;
    let (tenant, hook) = match set {
        Ok(set) => set,
        Err(error) => return refuse(&site, &bot, viewer, Trouble::of(error)?),
    };
    shown(
        &site,
        viewer,
        &bot,
        &tenant,
        &webhook,
        &hook,
        Action::WebhookSet,
    )
    .await
}

/// Gives it another address here.
pub(in crate::serve) async fn rotate(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    _: Form<Nothing>,
) -> Result<HttpResponse, Fault> {
    let (tenant, hook) = match site.registry.rotate_hook(bot.tenant.code).await {
        Ok(rotated) => rotated,
        Err(error) => return refuse(&site, &bot, viewer, Trouble::of(error)?),
    };
    let webhook = site.registry.webhook(&tenant)?;
    let webhook = webhook.ok_or(Fault::Missing("webhook"))?;
    shown(
        &site,
        viewer,
        &bot,
        &tenant,
        &webhook,
        &hook,
        Action::WebhookRotated,
    )
    .await
}

/// Chooses how updates go on; the target and the address stay.
pub(in crate::serve) async fn way(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Moded>,
) -> Result<HttpResponse, Fault> {
    let Ok(mode) = given.mode.parse() else {
        let text = Trouble::text("Choose one of the two ways.");
        return refuse(&site, &bot, viewer, text);
    };
    let set = site.registry.set_mode(bot.tenant.code, mode).await;
    let done = ("mode", Action::WebhookMode);
    told(&site, &bot, viewer, set, done, &given.mode).await
}

/// Gives it back.
pub(in crate::serve) async fn release(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Sure>,
) -> Result<HttpResponse, Fault> {
    if given.sure.is_none() {
        return refuse(&site, &bot, viewer, unsure());
    }
    match site.registry.release_webhook(bot.tenant.code).await {
        Ok(_) => {
            note(
                &site,
                &viewer.name,
                Action::WebhookReleased,
                Some(bot.id()),
                "",
            )
            .await?;
            Ok(back(&bot, "release"))
        }
        Err(error) => refuse(&site, &bot, viewer, Trouble::of(error)?),
    }
}

fn mode(given: &str, tenant: &Tenant) -> Option<Mode> {
    match given {
        "" => Some(tenant.webhook_mode()),
        given => given.parse().ok(),
    }
}

async fn shown(
    site: &Site,
    viewer: Viewer,
    bot: &Bot,
    tenant: &Tenant,
    webhook: &Webhook,
    hook: &Hook,
    action: Action,
) -> Result<HttpResponse, Fault> {
    // Scheme and host alone.
    note(
        site,
        &viewer.name,
        action,
        Some(bot.id()),
        &webhook.endpoint(),
    )
    .await?;
    let public_url = site.public_url.trim_end_matches('/');
    let mut response = html(&Page {
        frame: Frame::about(bot, "settings", "Webhook", viewer),
        code: tenant.code.to_string(),
        address: format!("{public_url}/webhook/{}", hook.expose()),
        api: site.telegram.url.trim_end_matches('/').to_owned(),
        endpoint: webhook.endpoint(),
        secret: webhook.secret.is_some(),
        max_connections: webhook.max_connections,
        former: tenant.former_hook.is_some(),
    })?;
    // The address is a secret: no browser keeps it.
    response.headers_mut().insert(
        actix_web::http::header::CACHE_CONTROL,
        actix_web::http::header::HeaderValue::from_static("no-store"),
    );
    Ok(response)
}
