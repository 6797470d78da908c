//! [`Caller`]: from where a request comes, and what proxies may say of that.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::header::HeaderName;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
///
/// # Examples
///
/// ```
/// use asynq_web::Network;
///
/// let network: Network = "10.1.0.0/16".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?) && !network.contains("10.2.0.1".parse()?));
/// assert!("10.1.0.0/33".parse::<Network>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits of it count.
    bits: u32,
}

impl Network {
    /// Whether an address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                u32::from(ours).checked_shr(32 - self.bits) == u32::from(other).checked_shr(32 - self.bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                u128::from(ours).checked_shr(128 - self.bits)
                    == u128::from(other).checked_shr(128 - self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork { text: text.to_owned() };
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_error| invalid())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_error| invalid())?;
        if bits > most { Err(invalid()) } else { Ok(Self { address, bits }) }
    }
}

/// Not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNetwork {
    text: String,
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no range of addresses, such as `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`",
            self.text
        )
    }
}

impl std::error::Error for InvalidNetwork {}

/// Which proxies are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    /// Whoever connects is one.
    pub(crate) any: bool,
    pub(crate) networks: Vec<Network>,
}

/// From where a request comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caller {
    /// Who has connected, if that is told.
    pub(crate) peer: Option<IpAddr>,
    /// Who asks: the peer, or for whom a proxy asks.
    pub(crate) address: Option<IpAddr>,
    /// Whether the peer is a proxy, as far as its headers about the way here are believed.
    pub(crate) is_proxy: bool,
    /// Whether it is one whose address is known: then it may say who somebody is, too.
    pub(crate) is_known_proxy: bool,
    /// Whether the browser uses HTTPS.
    pub(crate) is_secure: bool,
}

impl Proxies {
    pub(crate) fn caller<B>(&self, request: &Request<B>) -> Caller {
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = connected.map(|ConnectInfo(address)| address.ip().to_canonical());
        let is_known_proxy = peer.is_some_and(|peer| self.contain(peer));
        let is_proxy = self.any || is_known_proxy;
        let header = |name: &HeaderName| {
            let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).map(str::trim).collect::<Vec<_>>()
        };
        if !is_proxy {
            let is_secure = request.uri().scheme_str() == Some("https");
            return Caller { peer, address: peer, is_proxy, is_known_proxy, is_secure };
        }
        // Each proxy adds at the end who has asked it; what stands before the first that is none of ours, that one has
        // made up.
        let mut way = header(&FORWARDED_FOR).into_iter().rev().map_while(|text| text.parse::<IpAddr>().ok());
        let address = way.find(|address| !self.contain(*address)).map(|address| address.to_canonical());
        let is_secure =
            header(&FORWARDED_PROTO).last().is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        Caller { peer, address: address.or(peer), is_proxy, is_known_proxy, is_secure }
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// What one household has: an address, or 2^64 of them.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.8"),
            ("2001:db8::/32", "2001:db8:1::5", "2001:db9::"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("::/0", "::1", "1.2.3.4"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/", "proxy"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check(
        proxies: &Proxies,
        peer: Option<&str>,
        headers: &[(&str, &str)],
        expected: (Option<&str>, bool, bool),
    ) {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 7)));
        }
        let caller = proxies.caller(&request);
        let told =
            (caller.address.map(|address| address.to_string()), caller.is_known_proxy, caller.is_secure);
        assert_eq!(told, (expected.0.map(str::to_owned), expected.1, expected.2));
    }

    #[test]
    fn proxies_are_believed_as_far_as_they_are_known() {
        let of = |name: &'static str, value: &'static str| (name, value);
        let forwarded =
            [of("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.2"), of("x-forwarded-proto", "http, https")];
        let nobody = Proxies::default();
        check(&nobody, Some("9.9.9.9"), &forwarded, (Some("9.9.9.9"), false, false));
        check(&nobody, None, &forwarded, (None, false, false));
        let known = Proxies { any: false, networks: vec!["10.0.0.0/8".parse().unwrap()] };
        check(&known, Some("9.9.9.9"), &forwarded, (Some("9.9.9.9"), false, false));
        check(&known, Some("10.0.0.1"), &forwarded, (Some("1.2.3.4"), true, true));
        check(&known, Some("10.0.0.1"), &[], (Some("10.0.0.1"), true, false));
        check(&known, Some("10.0.0.1"), &[of("x-forwarded-for", "odd")], (Some("10.0.0.1"), true, false));
        let any = Proxies { any: true, networks: Vec::new() };
        check(&any, None, &forwarded, (Some("10.0.0.2"), false, true));
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::");
    }
}
