//! What must not grow.
