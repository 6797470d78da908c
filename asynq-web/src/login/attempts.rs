//! [`Attempts`]: passwords cannot be tried as often as one likes.

use std::net::IpAddr;
use std::time::Duration;

use super::buckets::Buckets;
use super::secret::Digest;
use crate::gate::network_of;

/// Wrong passwords for one name: as many at once, and one more in as many seconds.
const OF_NAME: (f64, f64) = (10.0, 1.0 / 30.0);

/// And from one address, behind which there may be many people.
const OF_ADDRESS: (f64, f64) = (30.0, 1.0 / 10.0);

/// Who has tried wrong passwords of late.
#[derive(Debug)]
pub(super) struct Attempts {
    /// By a hash of the name, so that long names take no more memory.
    names: Buckets<Digest>,
    addresses: Buckets<IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            names: Buckets::new(OF_NAME.0, OF_NAME.1),
            addresses: Buckets::new(OF_ADDRESS.0, OF_ADDRESS.1),
        }
    }
}

/// One attempt; it counts unless it is [forgiven](Self::forgive).
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    name: Digest,
    address: Option<IpAddr>,
}

impl Attempts {
    /// Begins one, or says when the next may be made. It counts before the password is looked at, so many at one time
    /// are no way around it.
    pub(super) fn begin(&self, name: &str, address: Option<IpAddr>) -> Result<Attempt<'_>, Duration> {
        let (name, address) = (Digest::of(name), address.map(network_of));
        if let Some(address) = address {
            self.addresses.take(address)?;
        }
        self.names.take(name)?;
        Ok(Attempt { attempts: self, name, address })
    }
}

impl Attempt<'_> {
    /// The password was right.
    pub(super) fn forgive(self) {
        self.attempts.names.give(&self.name);
        if let Some(address) = &self.address {
            self.attempts.addresses.give(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_run_out_by_name_and_by_address() {
        let attempts = Attempts::default();
        let home = Some("192.0.2.7".parse().unwrap());
        for _ in 0..100 {
            attempts.begin("ann", home).ok().unwrap().forgive();
        }
        for _ in 0..10 {
            assert!(attempts.begin("ann", home).is_ok());
        }
        assert_eq!(attempts.begin("ann", home).err(), Some(Duration::from_secs(30)));
        assert!(attempts.begin("ann", None).is_err(), "from wherever");
        assert!(attempts.begin("bob", home).is_ok());
        let many = (0..100).filter(|n| attempts.begin(&format!("user{n}"), home).is_ok()).count();
        assert!(many < 30, "{many}");
        let elsewhere = "2001:db8::1".parse().ok();
        assert!(attempts.begin("carl", elsewhere).is_ok());
    }
}
