use rampart_demo::network::*;
use std::time::*;
#[tokio::main]
async fn main() {
    let t = Instant::now();
    let net = Network::start(Pace::of_speed(20, 100), solana_sdk::signature::Keypair::new()).await.unwrap();
    println!("started {:?} {:?}", t.elapsed(), net.now());
    let a = net.next_slot().await.unwrap();
    let t = Instant::now();
    let b = net.timeline().until(|m| m.slot >= a.slot + 300).await.unwrap();
    println!("300 slots {:?} {a:?} {b:?}", t.elapsed());
    let so = concat!(env!("CARGO_MANIFEST_DIR"), "/../../artifacts/rampart.so");
    let t = Instant::now();
    net.deploy(so.as_ref()).await.unwrap();
    println!("deploy {:?}", t.elapsed());
    let t = Instant::now();
    let m = net.jump(26 * 3600).await.unwrap();
    println!("jump {:?} {m:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..20 { let k = solana_sdk::signature::Keypair::new(); use solana_sdk::signer::Signer;
        net.must("x", &[anchor_lang::solana_program::system_instruction::transfer(&net.payer().pubkey(), &k.pubkey(), 1_000_000_000)], &[]).await.unwrap(); }
    println!("20 tx {:?}", t.elapsed());
    net.at_pace();
    let a = net.next_slot().await.unwrap();
    let t = Instant::now();
    net.timeline().until(|m| m.slot >= a.slot + 50).await.unwrap();
    println!("50 slots at pace {:?}", t.elapsed());
    net.stop().unwrap();
}
