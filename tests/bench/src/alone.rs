//! What is measured of Gramtap that no proxy has: numbers without a ratio.
//!
//! In: the site, how long. Out: [`Values`] by name, once a round. Invariant: nothing else that is measured runs meanwhile.

use anyhow::{Context as _, Result};

use crate::site::Site;
use crate::values::Values;
use crate::work::{Measure, Plan};
use crate::{decode, inbox, registry};

/// All of it that is asked for.
pub(crate) async fn measure(site: &Site, plan: &Plan) -> Result<Values> {
    let mut values = Values::default();
    for measure in &plan.measures {
        match measure {
            // Of a proxy: `work.rs`.
            Measure::Send | Measure::Large | Measure::Upload => {}
            Measure::Unloaded | Measure::Loaded | Measure::Parked | Measure::Instructions => {}
            Measure::Inbox => inbox::measure(site, plan, &mut values).await?,
            Measure::Decode => decode::measure(&mut values)?,
            Measure::Registry => {
                values.append(registry::measure().await.context("registry")?);
            }
        }
    }
    Ok(values)
}
