use super::*;
use crate::intent::Blockhash;
use crate::journal::{Signed, State, Undecided};
use solana_sdk::hash::Hash;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::Transaction;

const BLOCKHASH: Blockhash = Blockhash { hash: Hash::new_from_array([1; 32]), last_valid_block_height: 9 };

fn row(step: Step, publish_ts: i64, state: State) -> Undecided {
    let place = place(PYTH_RECEIVER);
    let instructions = match step {
        Step::Open => place.open(PAYER, &update(QUORUM)).unwrap(),
        Step::Price => place.bring(PAYER, &update(QUORUM)).unwrap(),
        Step::Close => vec![place.message(PAYER, PUBLISHED).unwrap().close()],
    };
    let bytes = bincode::serialize(&Transaction::new_with_payer(&instructions, Some(&PAYER))).unwrap();
    let fence = step.fence(publish_ts);
    let intent = Intent { class: ActionClass::Post, target: place.account, fence, reason: String::new() };
    let signature = Signature::default();
    let signed = Signed { intent, signature, bytes, blockhash: BLOCKHASH, fee_lamports: 1, planned_ms: 1 };
    Undecided { signed, state }
}

fn found(rows: &[(Step, State)]) -> Option<(bool, usize)> {
    let rows: Vec<Undecided> = rows.iter().map(|(step, state)| row(*step, PUBLISHED, *state)).collect();
    let found = left(&rows);
    assert!(found.len() <= 1);
    found.first().map(|left| {
        let place = place(PYTH_RECEIVER);
        assert_eq!((left.target, left.publish_ts), (place.account, PUBLISHED));
        assert_eq!(Some(left.message), place.message(PAYER, PUBLISHED), "read from the bytes");
        (left.is_open, left.undecided.len())
    })
}

#[test]
fn fault_29_left_is_what_was_opened_and_not_closed_by_a_later_step() {
    use State::{Expired, Failed, Landed, Observed, Sent, Superseded, Unknown};
    let (open, bring, close) = (Step::Open, Step::Price, Step::Close);
    assert_eq!(found(&[(open, Landed)]), Some((true, 0)));
    assert_eq!(found(&[(open, Landed), (bring, Landed)]), None);
    assert_eq!(found(&[(open, Landed), (bring, Failed), (close, Landed)]), None);
    assert_eq!(found(&[(open, Landed), (bring, Failed)]), Some((true, 0)));
    assert_eq!(found(&[(open, Landed), (bring, Expired), (close, Failed)]), Some((true, 0)));
    assert_eq!(found(&[(open, Landed), (bring, Sent)]), Some((true, 1)));
    assert_eq!(found(&[(open, Landed), (bring, State::Signed), (close, Unknown)]), Some((true, 2)));
    assert_eq!(found(&[(open, Sent)]), Some((false, 1)));
    assert_eq!(found(&[(open, Expired), (open, State::Signed)]), Some((false, 1)));
    for never in [Expired, Failed, Superseded, Observed] {
        assert_eq!(found(&[(open, never)]), None);
    }
    let both = [row(open, PUBLISHED, Landed), row(bring, PUBLISHED + 1, Landed)];
    assert_eq!(left(&both).len(), 1, "another update's");
}
