//! The bot that a page is about.
//!
//! In: the code in the path. Out: [`Bot`], an argument of the handlers of its pages. Invariant: only for somebody who is signed in;
//! a code that no served bot has is a page that says so.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use gramtap_events::TenantId;
use gramtap_tenants::{Code, Tenant};

use super::Site;
use super::fault::Fault;
use super::viewer::Viewer;
use crate::zone::Zone;

/// A connected bot.
#[derive(Clone, Debug)]
pub struct Bot {
    /// As the registry has it.
    pub tenant: Tenant,
    /// Where its dates begin.
    pub zone: Zone,
}

impl Bot {
    /// Its id in records and sums.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.tenant.id
    }

    /// What to call it: its name, its bot id, or the beginning of its code.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.tenant)
    }

    /// Finds the served bot with a code.
    pub async fn find(site: &Site, code: &str) -> Result<Self, Fault> {
        let code: Code = code.parse().map_err(|_| Fault::Missing("bot"))?;
        let tenant = site.registry.get(code).await?;
        let tenant = tenant.ok_or(Fault::Missing("bot"))?;
        let zone = site.store.zone(tenant.id).await?;
        Ok(Self { tenant, zone })
    }
}

/// What to call a bot: its name, its bot id, or the beginning of its code.
pub(super) fn label(tenant: &Tenant) -> String {
    match (&tenant.name, tenant.bot) {
        (Some(name), _) => name.clone(),
        (None, Some(bot)) => format!("Bot {bot}"),
        (None, None) => format!("Bot {}…", &tenant.code.as_str()[..6]),
    }
}

impl FromRequest for Bot {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = Viewer::from_request(request, payload);
        let site = request.app_data::<web::Data<Site>>().cloned();
        let code = request.match_info().get("code").unwrap_or("").to_owned();
        Box::pin(async move {
            viewer.await?;
            let site = site.ok_or(Fault::Missing("bot"))?;
            Self::find(&site, &code).await
        })
    }
}
