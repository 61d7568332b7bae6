//! The check that a ratio doesn't know the future: it is found again without the bar it is held through, and without what follows.

use super::{HedgeError, Row};

/// Places of a pair at which ratios are found again.
pub const CUTS: usize = 24;

/// Finds `ratios` again at [`CUTS`] places, from rows that end there and whose last one is another. Returns how many were equal to
/// the bit.
///
/// # Errors
/// `Leak` at the first one that isn't.
pub fn check(what: &str, rows: &[Row], ratios: impl Fn(&[Row]) -> Vec<f64>) -> Result<usize, HedgeError> {
    let whole = ratios(rows);
    let cuts = (1..=CUTS).map(|at| rows.len() * at / CUTS).filter(|end| *end > 0);
    let mut checked = 0;
    for end in cuts {
        let mut known = rows[..end].to_vec();
        let last = &mut known[end - 1];
        // as far from what came as a return can be and still be one
        *last = Row { asset: 0.5 - last.asset.signum() * 0.4, short: 0.5 + last.short.signum() * 0.4, ..*last };
        let (held, again) = (whole[end - 1], ratios(&known)[end - 1]);
        if held.to_bits() != again.to_bits() {
            return Err(HedgeError::Leak { what: what.into(), ts: rows[end - 1].ts, held, again });
        }
        checked += 1;
    }
    Ok(checked)
}
