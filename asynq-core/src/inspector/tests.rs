//! The inspector on a broker in memory.
