//! The story for people.

use super::{Side, Story};
use rampart_score::band::Band;
use std::fmt;

/// Returns a band in words.
pub(super) fn band(of: Option<Band>) -> &'static str {
    match of {
        None => "-",
        Some(Band::Normal) => "normal",
        Some(Band::Watch) => "watch",
        Some(Band::Tighten) => "tighten",
        Some(Band::Restrict) => "restrict",
        Some(Band::Breaker) => "breaker",
    }
}

/// A line of sums: what it is, and how it is read from a side.
type Line = (&'static str, fn(&Side) -> String);

impl Side {
    /// What a comparison lists.
    pub const LINES: [Line; 10] = [
        ("bad debt", |side| whole(side.bad_debt)),
        ("bad debt, bps of the debt", |side| format!("{:.1}", side.bad_debt_bps)),
        ("borrowed by the attacker", |side| whole(side.attacked)),
        ("liquidated", |side| whole(side.liquidated)),
        ("softly deleveraged", |side| whole(side.deleveraged)),
        ("cost to owners", |side| whole(side.cost)),
        ("withdrawn", |side| whole(side.withdrawn)),
        ("exits not paid at once", |side| whole(side.refused_exits)),
        ("held up, % of the time", |side| format!("{:.2}", side.halted_bps / 100.0)),
        ("trips", |side| side.trips.to_string()),
    ];
}

/// Whole tokens, thousands apart.
fn whole(amount: f64) -> String {
    let digits = format!("{:.0}", amount.abs());
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap_or_default()).collect();
    format!("{}{}", if amount <= -0.5 { "-" } else { "" }, groups.join(","))
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { name, seed, guard, scenario_sha256, guard_sha256, .. } = self;
        writeln!(
            f,
            "{name} seed {seed} ({:?}), {} minutes, sha256 {}",
            self.split,
            self.minutes,
            &scenario_sha256[..16]
        )?;
        writeln!(
            f,
            "guard {guard}, sha256 {}, against the same lines without rules, limits and soft deleveraging; a pool of {}\n",
            &guard_sha256[..16],
            whole(self.target_debt)
        )?;
        self.unplayed.iter().try_for_each(|rule| writeln!(f, "not played: {rule}"))?;
        writeln!(
            f,
            "| minute | price | oracle | score | band | new risk | exits | debt | lost | lost without | what |"
        )?;
        writeln!(f, "| ---: | ---: | ---: | ---: | --- | --- | --- | ---: | ---: | ---: | --- |")?;
        for m in &self.moments {
            let score = m.score.map_or("-".to_owned(), |score| score.to_string());
            writeln!(
                f,
                "| {} | {:.4} | {:.4} | {score} | {} | {} | {} | {} | {} | {} | {} |",
                m.minute,
                m.truth,
                m.oracle,
                band(m.band),
                m.risk,
                m.exit,
                whole(m.debt),
                whole(m.lost),
                whole(m.lost_unguarded),
                m.what.join("; ")
            )?;
        }
        writeln!(f, "\n| whole tokens of the loan | with the guard | without |\n| --- | ---: | ---: |")?;
        for (at, (name, of)) in Side::LINES.iter().enumerate() {
            let end = if at + 1 < Side::LINES.len() { "\n" } else { "" };
            write!(f, "| {name} | {} | {} |{end}", of(&self.guarded), of(&self.unguarded))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn whole_tokens_have_their_thousands_apart() {
        let found = [0.0, 999.4, 1_000.0, 1_234_567.8, -12_345.0].map(whole);
        assert_eq!(found, ["0", "999", "1,000", "1,234,568", "-12,345"]);
    }
}
