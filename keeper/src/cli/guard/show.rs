//! Shows the guard.

use super::{Answer, ShowArgs, names, no_guard, read, unknown};
use crate::config::Config;
use crate::error::KeeperError;
use crate::events::unix_ts;
use crate::guard::view;

/// Reads the guard and says what it holds; countdowns are by the wall clock.
pub(super) async fn show(args: &ShowArgs, config: &Config) -> Result<Answer, KeeperError> {
    let guard = args.guard.unwrap_or(config.cluster.guard);
    let (_, snapshot) = read(config, guard).await?;
    let now_ts = unix_ts();
    let report = view::view(&snapshot, &names(config), now_ts).map_err(|source| unknown(&source))?;
    let report = report.ok_or_else(|| no_guard(&guard))?;
    Answer::new(&report, view::text(&report, now_ts))
}
