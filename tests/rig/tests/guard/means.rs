//! Swap policies and the reserve: created from files, tightened, and what is granted is paid.

use crate::desk::{Desk, assert_refused, refusal, ripen};
use rampart::error::RampartError;
use rampart::state::{Reserve, SwapPolicy, Switch};
use rampart_client::{Pubkey, address};
use rampart_keeper::guard::means::ReserveFile;
use rampart_keeper::guard::spec::{Key, Part, PlanSpec, SwapSpec, SwitchName};
use rampart_tests::defaults::USDC;
use rampart_tests::swaps::{THIEF, params, plan};

fn write(desk: &Desk, name: &str, text: &str) -> String {
    let path = desk.path(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn policy_file(desk: &Desk, name: &str, edit: impl FnOnce(&mut SwapSpec)) -> String {
    let mut spec = SwapSpec::of(&params(THIEF)).expect("known values");
    spec.switch = SwitchName::Disabled;
    edit(&mut spec);
    write(desk, name, &toml::to_string(&spec).expect("TOML"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swap_policy_is_created_off_and_tightened_at_once() {
    let desk = Desk::new().await;
    let root = desk.root();
    let admin = desk.world(|world| {
        world.thief();
        world.risk_admin.insecure_clone()
    });
    let admin = desk.key("admin", &admin);
    desk.settle().await;
    let file = policy_file(&desk, "policy.toml", |_| {});
    let on = policy_file(&desk, "on.toml", |spec| spec.switch = SwitchName::Enabled);
    let tokens = policy_file(&desk, "tokens.toml", |spec| spec.program = Key(anchor_spl::token::ID));
    let typo = write(&desk, "typo.toml", "programme = \"x\"\n");
    let add = |file: &str, signer: &str| ["add-policy", "7", file, "--yes", "--signer", signer].map(str::to_owned);
    for (file, signer, error, hint) in [
        (&on, &root, refusal(RampartError::SwapPolicyMustWait), "with it enabled"),
        (&tokens, &root, refusal(RampartError::SwapPolicyInvalid), "docs/governance.md"),
        (&file, &admin, "needs the root".into(), "--signer"),
        (&typo, &root, "unknown field `programme`".into(), "docs/governance.md"),
    ] {
        let words = add(file, signer);
        assert_refused!(desk, &words.each_ref().map(String::as_str), &error, hint);
    }
    let shown = desk.guard(&["add-policy", "7", &file]).await.expect("it would be taken");
    for told in [
        "create swap policy 7: it is there at once, switched off",
        "max_swap_micro_usd: none -> 1,000,000 dollars (new)",
        "prefixes: none -> [01] (new)",
        "for ever: the policy can be switched off, never removed",
        "`--yes` sends it",
    ] {
        assert!(shown.text.contains(told), "{told}\n{}", shown.text);
    }
    let key = address::swap_policy(&desk.scene.guard, 7);
    assert!(!desk.world(|world| world.exists(&key)) && desk.scene.chain.state().sends.is_empty(), "nothing is sent");
    let words = add(&file, &root);
    let words = words.each_ref().map(String::as_str);
    desk.guard(&words).await.expect("it lands");
    let stored = |desk: &Desk| desk.world(|world| world.load::<SwapPolicy>(&key).params);
    assert_eq!(stored(&desk), rampart_tests::swaps::disabled(params(THIEF)));
    desk.settle().await;
    assert_refused!(desk, &words, &format!("there is a swap policy at {key} already"), "another number");
    let looser = ["tighten", "swap-policy", "max_slippage_bps=101", "--signer", &admin];
    assert_refused!(desk, &looser, "`max_slippage_bps` gets looser", "guard propose");
    let tight = ["tighten", "swap-policy", "max_slippage_bps=50", "--signer", &admin];
    let done = desk.guard(&tight).await.expect("it lands");
    assert!(done.text.contains("effect on swap-policy: max_slippage_bps: 1 % -> 0.5 % (tighter)"), "{}", done.text);
    assert_eq!((stored(&desk).max_slippage_bps, stored(&desk).switch), (50, Switch::Disabled as u8));
}

fn reserve_file(desk: &Desk, name: &str, mints: &[Pubkey]) -> String {
    let mints = mints.iter().copied().map(Key).collect();
    let file = ReserveFile { mints, plan: PlanSpec::of(&plan()).expect("known values") };
    write(desk, name, &toml::to_string(&file).expect("TOML"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reserve_is_created_once_and_pays_what_waited() {
    let desk = Desk::new().await;
    let (root, [sol, usdc]) = (desk.root(), desk.world(|world| [world.sol.mint, world.usdc.mint]));
    let (file, key) = (reserve_file(&desk, "reserve.toml", &[sol, usdc]), address::reserve(&desk.scene.guard));
    let other = reserve_file(&desk, "other.toml", &[sol, Pubkey::new_from_array([0x66; 32])]);
    let twice = reserve_file(&desk, "twice.toml", &[sol, sol]);
    let unknown = ["add-reserve", &other, "--yes", "--signer", &root];
    assert_refused!(desk, &unknown, "there is no asset for the mint at", "guard show");
    let same = ["add-reserve", &twice, "--yes", "--signer", &root];
    assert_refused!(desk, &same, &refusal(RampartError::ReserveAccountsMismatch), "once");
    assert_refused!(desk, &["pay-grant"], &format!("there is no reserve at {key}"), "guard show");
    let shown = desk.guard(&["add-reserve", &file]).await.expect("it would be taken");
    for told in [
        "create the reserve: it is there at once, empty",
        "for ever: the guard has a reserve from now on",
        "quote: none -> 1",
    ] {
        assert!(shown.text.contains(told), "{told}\n{}", shown.text);
    }
    assert!(!desk.world(|world| world.exists(&key)) && desk.scene.chain.state().sends.is_empty(), "nothing is sent");
    let words = ["add-reserve", &file, "--yes", "--signer", &root];
    desk.guard(&words).await.expect("it lands");
    desk.settle().await;
    assert_refused!(desk, &words, "there is a reserve at", "reserve-plan");
    assert_refused!(desk, &["pay-grant"], "there is no grant out of the reserve", "guard show");
    let destination = desk.world(|world| {
        let (usdc, owner) = (world.usdc, world.payer_address());
        world.create_associated(usdc, key);
        let fund = world.fund_ix(usdc, 10 * USDC);
        world.send(&[fund], &[]).expect("it is funded");
        world.create_token_account(usdc, owner, 0)
    });
    let (to, amount) = (format!("destination={destination}"), format!("amount={}", 4 * USDC));
    desk.settle().await;
    let grant = ["propose", "reserve-grant", &to, &amount, "index=1", "--signer", &root];
    desk.guard(&grant).await.expect("it lands");
    ripen(&desk);
    desk.settle().await;
    desk.guard(&["execute", "0"]).await.expect("it is ripe");
    desk.settle().await;
    let paid = desk.guard(&["pay-grant"]).await.expect("it lands");
    assert!(paid.text.contains(&format!("pay {} base units of {usdc}", 4 * USDC)), "{}", paid.text);
    let reserve: Reserve = desk.world(|world| world.load(&key));
    assert_eq!((desk.world(|world| world.balance(&destination)), reserve.grant.amount), (4 * USDC, 0));
}
