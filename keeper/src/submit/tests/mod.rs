mod basics;
mod crash;
mod faults;
mod world;
