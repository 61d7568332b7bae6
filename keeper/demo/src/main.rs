use rampart_demo::network::*;
use rampart_demo::world::{*, build::*, cast::*};
use rampart_demo::market::{*, synthetic::*};
use rampart_demo::feeder::*;
use std::time::*;
#[tokio::main]
async fn main() {
    let t = Instant::now();
    let world = World::new(Cast::from_seed(1));
    let net = Network::start(Pace::of_speed(20, 100), world.cast.payer.pair().insecure_clone()).await.unwrap();
    println!("started {:?} {:?}", t.elapsed(), net.now());
    let so = concat!(env!("CARGO_MANIFEST_DIR"), "/../../artifacts/rampart.so");
    let mut feeder = Feeder::new(1);
    let r = SetUp { network: &net, world: &world, feeder: &mut feeder, start: PricePoint { at_secs: 0, usd: START_USD } }.run(so.as_ref(), |s| println!("{:?} {s}", t.elapsed())).await;
    println!("{:?} {r:?} {:?}", t.elapsed(), net.now());
    net.stop().unwrap();
}
