//! The lookup table, made from the terminal and taken by the chain's own program.

use crate::desk::Desk;
use rampart::state::Purpose;
use rampart_client::Pubkey;
use rampart_keeper::cli::guard::Answer;
use rampart_keeper::cli::{self, Command};
use rampart_keeper::config::Config;
use rampart_keeper::error::KeeperError;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::{TOKEN_SWAP, params};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Does `rampart table ..` and returns the answer.
async fn table(config: &Config, words: &[&str]) -> Result<Answer, KeeperError> {
    let line = ["rampart", "table"].iter().chain(words).map(|word| (*word).into()).collect::<Vec<_>>();
    let cli = cli::parse(line).unwrap_or_else(|(error, _)| panic!("{error}"));
    let Command::Table { command } = &cli.command else { panic!("another command") };
    command.answer(config).await
}

/// A guard with a pool, a policy to swap there, and a keeper's settings that name both.
async fn with_route(desk: &Desk) -> (Config, Pubkey) {
    let pool = desk.world(|world| {
        let market = world.market(1_000 * SOL, 111_000 * USDC);
        let mut own = params(TOKEN_SWAP);
        own.purpose = Purpose::Liquidation as u8;
        world.swap_policy(1, own);
        market.pool
    });
    desk.settle().await;
    let route = format!("name = \"pool\"\nkind = \"token_swap\"\npolicy = 1\npool = \"{pool}\"\n");
    let mut config = desk.config();
    config.route = vec![toml::from_str(&route).expect("a route")];
    (config, pool)
}

fn refusal(result: Result<Answer, KeeperError>) -> (String, String) {
    match result {
        Err(KeeperError::Refused { what, hint }) => (what, hint),
        other => panic!("not refused: {other:?}"),
    }
}

fn added(answer: &Answer) -> Vec<String> {
    serde_json::from_value(answer.data["added"].clone()).expect("addresses")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn table_is_tried_created_shown_and_extended_by_its_owner_alone() {
    let desk = Desk::new().await;
    let (mut config, pool) = with_route(&desk).await;
    let tried = table(&config, &["create", "--dry-run"]).await.expect("it would be taken");
    assert_eq!(tried.data["is_sent"], false);
    assert!(tried.text.contains("nothing is sent"), "{}", tried.text);
    let vault = desk.world(|world| world.keys.vault).to_string();
    assert!(added(&tried).contains(&pool.to_string()) && added(&tried).contains(&vault));
    let payer = desk.scene.payer.pubkey().to_string();
    assert!(!added(&tried).contains(&payer), "who signs is named in every message");
    assert_eq!(desk.scene.chain.state().sends.len(), 0);

    let made = table(&config, &["create"]).await.expect("it is created");
    assert_eq!((made.data["is_sent"].as_bool(), added(&made)), (Some(true), added(&tried)));
    let key: Pubkey = made.data["table"].as_str().and_then(|key| key.parse().ok()).expect("an address");
    assert!(made.text.contains(&format!("tx.lookup_tables = [\"{key}\"]")), "{}", made.text);
    config.tx.lookup_tables = vec![key];
    desk.settle().await;
    let shown = table(&config, &["show"]).await.expect("a table");
    let one = &shown.data["tables"][0];
    assert_eq!((one["authority"].as_str(), one["is_closing"].as_bool()), (Some(&*payer), Some(false)));
    assert_eq!(one["addresses"].as_array().map(Vec::len), Some(added(&tried).len()));
    assert_eq!(shown.data["missing"].as_array().map(Vec::len), Some(0), "{}", shown.text);

    let nothing = table(&config, &["extend"]).await.expect("nothing to do");
    assert!(nothing.text.contains("nothing is missing") && added(&nothing).is_empty(), "{}", nothing.text);
    let more = Pubkey::new_unique().to_string();
    let extended = table(&config, &["extend", "--also", &more]).await.expect("it is extended");
    assert_eq!(added(&extended), [more]);

    let stranger = Keypair::new();
    let file = desk.key("stranger", &stranger);
    let other = Pubkey::new_unique().to_string();
    let (what, _) = refusal(table(&config, &["extend", "--also", &other, "--signer", &file]).await);
    assert!(what.contains("may be extended by") && what.contains(&payer), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_made_without_a_route_and_no_other_account_is_taken_for_a_table() {
    let desk = Desk::new().await;
    let (what, hint) = refusal(table(&desk.config(), &["create"]).await);
    assert!(what.contains("no route") && hint.contains("[[route]]"), "{what}: {hint}");
    let (config, pool) = with_route(&desk).await;
    let (what, _) = refusal(table(&config, &["extend"]).await);
    assert!(what.starts_with("0 tables are set"), "{what}");
    let (what, _) = refusal(table(&config, &["extend", &pool.to_string()]).await);
    assert!(what.contains("there is no lookup table at"), "{what}");
    let (what, _) = refusal(table(&config, &["create", "--vault", &pool.to_string()]).await);
    assert!(what.contains("can't be named"), "{what}");
}
