//! What the keepers report of each collateral: the median that the program would take.

use crate::accounts::decode;
use crate::world::{Coin, VAULTS, World};
use rampart::risk::keepers::Poll;
use rampart::state::{Comparator, KeeperSet, Report, ReportPart};
use rampart_client::{Pubkey, address, keepers};
use serde::Serialize;
use solana_sdk::account::Account;

/// Scores by [`VAULTS`]; nothing without a keeper set.
pub type Polls = [Option<Poll>; VAULTS.len()];

/// The score of one collateral over a story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Course {
    /// The collateral.
    pub coin: String,
    /// The first median, bps.
    pub first_bps: u16,
    /// The highest, bps.
    pub highest_bps: u16,
    /// Seconds since the story's start.
    pub highest_at_secs: i64,
    /// The last, bps.
    pub last_bps: u16,
}

/// Returns where the keeper set is, and each keeper's report about each collateral.
pub fn keys(world: &World) -> Vec<Pubkey> {
    let about = |coin: Coin| world.cast.keepers.iter().map(move |key| address::report(&world.asset(coin), &key.key()));
    std::iter::once(address::keeper_set(&world.guard)).chain(VAULTS.into_iter().flat_map(about)).collect()
}

/// Counts the reports that were found at [`keys`].
pub fn polls(found: &[(Pubkey, Option<Account>)], now_ts: i64) -> Polls {
    let Some((set, reports)) = found.split_first() else { return Polls::default() };
    let set = set.1.as_ref().and_then(|account| decode::<KeeperSet>(&set.0, &account.data).ok());
    let (Some(set), each) = (set, reports.len() / VAULTS.len()) else { return Polls::default() };
    let mut about = reports.chunks(each.max(1)).map(|reports| {
        let said = reports.iter().map(|(key, account)| decode::<Report>(key, &account.as_ref()?.data).ok());
        let said: Vec<Report> = said.flatten().collect();
        keepers::poll(&set, &said, ReportPart::Score, now_ts)
    });
    std::array::from_fn(|_| about.next())
}

/// Returns the medians, bps; nothing where no quorum speaks.
pub fn medians(polls: &Polls) -> [Option<u16>; VAULTS.len()] {
    std::array::from_fn(|at| polls[at].as_ref()?.median(Comparator::Above, true).ok())
}

/// Takes the medians of one moment into the courses.
pub fn take(courses: &mut Vec<Course>, medians: [Option<u16>; VAULTS.len()], at_secs: i64) {
    for (coin, median) in VAULTS.iter().zip(medians) {
        let Some(bps) = median else { continue };
        let coin = coin.symbol();
        let Some(course) = courses.iter_mut().find(|course| course.coin == coin) else {
            let (first_bps, coin) = (bps, coin.to_owned());
            courses.push(Course { coin, first_bps, highest_bps: bps, highest_at_secs: at_secs, last_bps: bps });
            continue;
        };
        course.last_bps = bps;
        if bps > course.highest_bps {
            (course.highest_bps, course.highest_at_secs) = (bps, at_secs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn course_keeps_first_highest_and_last_and_leaves_silence_out() {
        let mut courses = Vec::new();
        for (at_secs, sol) in
            [(0, None), (10, Some(800)), (20, Some(6_000)), (30, None), (40, Some(6_000)), (50, Some(900))]
        {
            take(&mut courses, [sol, None], at_secs);
        }
        let course =
            Course { coin: "SOL".into(), first_bps: 800, highest_bps: 6_000, highest_at_secs: 20, last_bps: 900 };
        assert_eq!(courses, [course]);
    }
}
