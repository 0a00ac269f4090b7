//! Which addresses webhooks may reach: those of the public internet, and what the operator allows. Without this, whoever may
//! add a webhook could make this machine call services that trust it (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::Url;
use sheaf_domain::{Failure, FailureCode};

/// The longest address, in bytes.
const URL_BYTES: usize = 2048;

/// An exception that the operator makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAddress {
    /// The name of a host, whatever its addresses are.
    Host(String),
    /// Addresses, whatever names they have.
    Network(IpNet),
}

/// It is neither the name of a host nor a network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither the name of a host nor an address or network such as 10.1.0.0/16")]
pub struct NoAddress(String);

impl FromStr for AllowedAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // What ends in a number is an address to browsers and to URLs, and was not one.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
        if text.is_empty() || numeric || !text.chars().all(of_name) {
            return Err(NoAddress(text.to_owned()));
        }
        Ok(Self::Host(text.to_ascii_lowercase()))
    }
}

/// Whether a webhook may reach this address, which its host was found to have.
pub fn may_reach(allowed: &[AllowedAddress], host: &str, address: IpAddr) -> bool {
    is_public(address)
        || allowed.iter().any(|allowed| match allowed {
            AllowedAddress::Host(name) => name.eq_ignore_ascii_case(host),
            AllowedAddress::Network(network) => network.contains(&address),
        })
}

/// The URL of a webhook, if it is one that can be called. The addresses behind a name are looked at when it is called, for
/// they may change at any time.
///
/// # Errors
/// `invalid_request`.
pub fn check_url(allowed: &[AllowedAddress], text: &str) -> Result<Url, Failure> {
    let refused = |why: &str| Failure::new(FailureCode::InvalidRequest, format!("the address of the webhook {why}"));
    if text.len() > URL_BYTES {
        return Err(refused(&format!("is longer than {URL_BYTES} bytes")));
    }
    let url: Url = text.trim().parse().map_err(|error| refused(&format!("cannot be read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("begins with neither https:// nor http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user name or a password; messages are signed instead"));
    }
    let host = url.host_str().ok_or_else(|| refused("names no host"))?;
    if let Some(address) = literal(host)
        && !may_reach(allowed, host, address)
    {
        return Err(not_public(&format!("`{host}` is no public address")));
    }
    Ok(url)
}

/// The address that stands in a URL instead of a name.
pub fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// It was refused, and only the operator can change that.
pub fn not_public(what: &str) -> Failure {
    Failure::new(FailureCode::InvalidRequest, what.to_owned()).with_hint(
        "Webhooks reach public addresses only; whoever runs Sheaf can allow others with --webhook-allow HOST or NETWORK.",
    )
}

/// By the special-purpose registries of IANA (RFC 6890), and what clouds keep for themselves.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    const fn net(a: u8, b: u8, c: u8, length: u8) -> Ipv4Net {
        Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), length)
    }
    const OTHERS: [Ipv4Net; 15] = [
        net(0, 0, 0, 8),       // this network
        net(10, 0, 0, 8),      // private
        net(100, 64, 0, 10),   // shared by a provider's customers
        net(127, 0, 0, 8),     // this machine
        net(169, 254, 0, 16),  // this link; metadata of most clouds
        net(172, 16, 0, 12),   // private
        net(192, 0, 0, 24),    // protocols; metadata of Oracle's cloud
        net(192, 0, 2, 24),    // documentation
        net(192, 88, 99, 24),  // relays to IPv6
        net(192, 168, 0, 16),  // private
        net(198, 18, 0, 15),   // benchmarks
        net(198, 51, 100, 24), // documentation
        net(203, 0, 113, 24),  // documentation
        net(224, 0, 0, 4),     // multicast
        net(240, 0, 0, 4),     // reserved, broadcast
    ];
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16); // the host of a machine in Azure
    address != AZURE && !OTHERS.iter().any(|network| network.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    const fn net(a: u16, b: u16, length: u8) -> Ipv6Net {
        Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
    }
    const GLOBAL: Ipv6Net = net(0x2000, 0, 3);
    const OTHERS: [Ipv6Net; 4] = [
        net(0x2001, 0, 23),     // protocols, Teredo among them
        net(0x2001, 0xdb8, 32), // documentation
        net(0x2002, 0, 16),     // IPv4 inside of IPv6
        net(0x3fff, 0, 20),     // documentation
    ];
    const TRANSLATED: Ipv6Net = net(0x64, 0xff9b, 96); // IPv4 by NAT64
    let inner = TRANSLATED.contains(&address).then(|| {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    });
    match address.to_ipv4_mapped().or(inner) {
        Some(inner) => is_public_v4(inner),
        None => GLOBAL.contains(&address) && !OTHERS.iter().any(|network| network.contains(&address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let check = |address: &str, expect: bool| {
            assert_eq!(may_reach(&[], "example.com", address.parse().expect("an address")), expect, "{address}");
        };
        for public in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            check(public, true);
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001:db8::1",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn the_operator_makes_exceptions() {
        let allowed: Vec<AllowedAddress> =
            ["10.1.0.0/16", "::1", "Hooks.internal"].iter().map(|text| text.parse().expect("valid")).collect();
        let check = |host: &str, address: &str, expect: bool| {
            assert_eq!(may_reach(&allowed, host, address.parse().expect("an address")), expect, "{host} {address}");
        };
        check("x", "10.1.255.1", true);
        check("x", "10.2.0.1", false);
        check("x", "::1", true);
        check("hooks.INTERNAL", "192.168.0.7", true);
        check("more.hooks.internal", "192.168.0.7", false);
        for wrong in ["", "10.0.0.0/33", "http://x", "1.2.3", "a b", "*"] {
            assert!(wrong.parse::<AllowedAddress>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn urls_are_checked() {
        let check = |text: &str, expect: bool| assert_eq!(check_url(&[], text).is_ok(), expect, "{text}");
        check("https://example.com/hook?key=1", true);
        check("http://example.com:8080", true);
        for refused in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://user@example.com",
            "https://:word@example.com",
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::1]:80/",
            "http://[::ffff:10.0.0.1]/",
            "gopher://example.com",
        ] {
            check(refused, false);
        }
        check(&format!("https://example.com/{}", "a".repeat(URL_BYTES)), false);
        let allowed = ["127.0.0.0/8".parse().expect("valid")];
        assert!(check_url(&allowed, "http://127.0.0.1:9/").is_ok());
    }
}
