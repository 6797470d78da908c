//! The dashboard without a terminal: the real model, view and fetcher, on the memory broker and a clock that stands still.

mod behavior;
mod desk;
mod screens;
mod svg;
mod walk;
mod world;
