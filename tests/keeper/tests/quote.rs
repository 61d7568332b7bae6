//! Quotes of a pool, against the program that swaps.

use rampart_client::{AccountMeta, Instruction, MintOf};
use rampart_keeper::route::token_swap::Pool;
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::{Market, SWAP, TOKEN_SWAP};

/// Swaps `amount` of the payer's tokens at the pool itself; returns what was taken and what was paid.
pub fn swap(world: &mut World, market: &Market, from: MintOf, to: MintOf, amount: u64) -> Option<(u64, u64)> {
    let payer = world.payer_address();
    let source = world.create_token_account(from, payer, amount);
    let destination = world.create_token_account(to, payer, 0);
    let account = world.svm.get_account(&market.pool)?;
    let pool = Pool::decode(&account.data).expect("a pool");
    let side = usize::from(pool.mints[0] != from.mint);
    let authority = rampart_client::Pubkey::find_program_address(&[market.pool.as_ref()], &TOKEN_SWAP).0;
    let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
    let accounts = vec![
        read(market.pool),
        read(authority),
        AccountMeta::new_readonly(payer, true),
        write(source),
        write(pool.tokens[side]),
        write(pool.tokens[1 - side]),
        write(destination),
        write(pool.shares),
        write(pool.fees),
        read(pool.token_program),
    ];
    let data = [&[SWAP][..], &amount.to_le_bytes(), &0u64.to_le_bytes()].concat();
    world.send(&[Instruction { program_id: TOKEN_SWAP, accounts, data }], &[]).ok()?;
    Some((amount - world.balance(&source), world.balance(&destination)))
}

#[test]
fn quote_is_what_the_program_takes_and_pays_to_the_unit() {
    let mut world = World::with_vault();
    let market = world.market(1_000 * SOL + 7, 150_000 * USDC + 3);
    let (sol, usdc) = (world.sol, world.usdc);
    // dust, odd amounts, and a tenth of the pool, one after the other on the pool that the last one left
    let sizes: [u64; 9] = [1, 2, 9, 3_334, 1_000_003, 77_777_777, 12_345_678_901, 99_999_999_999, 100 * SOL];
    let mut compared = 0;
    for (n, amount) in sizes.into_iter().flat_map(|size| [(0, size), (1, size / 7 + 1)]) {
        let pool = Pool::decode(&world.svm.get_account(&market.pool).unwrap().data).unwrap();
        let held = (world.balance(&market.sol), world.balance(&market.usdc));
        let (pair, held) = if n == 0 { ((sol, usdc), held) } else { ((usdc, sol), (held.1, held.0)) };
        let quote = pool.quote(amount, held).ok().map(|quote| (quote.spent_amount, quote.received_amount));
        assert_eq!(swap(&mut world, &market, pair.0, pair.1, amount), quote, "{amount} of {n}");
        compared += usize::from(quote.is_some());
    }
    assert!(compared >= 12, "{compared}");
}
