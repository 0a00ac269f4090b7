//! The signature of a message: HMAC-SHA256 (RFC 2104) over the time and the body, so that a receiver can tell who sent it and
//! that it is not an old one sent again.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// A new secret, as it is told once.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("whsec_{}", hex::encode(bytes)))
}

/// The header `Sheaf-Signature`: `t=SECONDS,v1=HEX`. The key is the whole secret as text, what is signed `SECONDS.BODY`.
pub fn signature(secret: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_documentation_says() {
        // python3 -c 'import hmac; print(hmac.new(b"whsec_00", b"1800000000.{}", "sha256").hexdigest())'
        let expect = "t=1800000000,v1=11ea8228833857efc9832363528be6da5b94fae35ebf8bd703756872fda61fab";
        assert_eq!(signature("whsec_00", 1_800_000_000, "{}"), expect);
    }

    #[test]
    fn secrets_differ() {
        let (a, b) = (new_secret().expect("random"), new_secret().expect("random"));
        assert_ne!(a, b);
        assert_eq!(a.len(), 6 + 64);
    }
}
