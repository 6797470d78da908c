//! [`Layers`]: what is to be done to a payload before it is stored.

/// What is to be done to a payload between the codec that wrote it and the store: in this order, and undone in the other
/// one. What a client does to every payload, it does besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Layers {
    /// It is compressed, if it is large enough for that.
    pub compress: bool,
    /// It is encrypted.
    pub encrypt: bool,
}

impl Layers {
    /// It is stored as it is.
    pub const NONE: Self = Self { compress: false, encrypt: false };

    /// These, and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self { compress: self.compress || others.compress, encrypt: self.encrypt || others.encrypt }
    }

    /// These, and compressing.
    #[must_use]
    pub const fn compressed(self) -> Self {
        Self { compress: true, ..self }
    }

    /// These, and encrypting.
    #[must_use]
    pub const fn encrypted(self) -> Self {
        Self { encrypt: true, ..self }
    }
}
