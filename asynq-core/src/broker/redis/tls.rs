//! [`TlsOptions`]: whom to trust on an encrypted connection, and who we are. By rustls.

use std::fmt;
use std::io;
use std::sync::Arc;

use redis::RedisError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::{TlsConnector, rustls};

/// Whom to trust on an encrypted connection, and who we are.
///
/// By default the certificate authorities of the system are trusted (on Unix also those in the file that
/// `SSL_CERT_FILE` names), the server must have a certificate for the host that the address names, and we show none.
#[derive(Clone, Default)]
pub struct TlsOptions {
    authorities: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
    any_certificate: bool,
}

impl TlsOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these certificate authorities, in PEM, and no others.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Shows the server this certificate, followed by those that lead to its authority, and uses this private key;
    /// both in PEM.
    #[must_use]
    pub fn identity(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificates.into(), key.into()));
        self
    }

    /// The name that the server's certificate must have, in place of the host in its address.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Accepts whatever certificate the server shows: nobody can listen, but anybody can answer in its place. Only for a
    /// try, where the right authority is not at hand.
    #[must_use]
    pub fn accept_any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    fn config(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if self.any_certificate {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let Some((certificates, key)) = &self.identity else { return Ok(builder.with_no_client_auth()) };
        let certificates = certificates_in(certificates, "our certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("our private key: {error}"))?;
        builder
            .with_client_auth_cert(certificates, key)
            .map_err(|error| format!("our certificate and its private key: {error}"))
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        if let Some(pem) = &self.authorities {
            for certificate in certificates_in(pem, "certificate authorities")? {
                roots.add(certificate).map_err(|error| format!("certificate authorities: {error}"))?;
            }
            return Ok(roots);
        }
        let found = rustls_native_certs::load_native_certs();
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!("this system has no certificate authorities{why}; name those to trust"));
        }
        Ok(roots)
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("authorities", &self.authorities.as_ref().map_or("the system's", |_| "given"))
            .field("identity", &self.identity.as_ref().map_or("none", |_| "given"))
            .field("server_name", &self.server_name)
            .field("any_certificate", &self.any_certificate)
            .finish()
    }
}

/// Accepts any certificate, but only from who has its private key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn certificates_in(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| format!("{what}: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("{what}: there is no certificate in the PEM"));
    }
    Ok(certificates)
}

/// Encrypts connections.
pub(super) struct Encryption {
    connector: TlsConnector,
    server_name: Option<ServerName<'static>>,
    has_identity: bool,
}

impl Encryption {
    /// What is wrong with the options, if anything is.
    pub(super) fn new(options: &TlsOptions) -> Result<Self, String> {
        let connector = TlsConnector::from(Arc::new(options.config()?));
        let server_name = options.server_name.clone().map(server_name).transpose()?;
        Ok(Self { connector, server_name, has_identity: options.identity.is_some() })
    }

    /// What may be behind an encrypted connection that ended while we logged in: the reset that follows a refusal often
    /// overtakes the server's own words about it.
    pub(super) fn login_failed(&self, error: RedisError) -> RedisError {
        if self.has_identity || !error.is_io_error() {
            return error;
        }
        let what = format!("{error}; does the server ask for a certificate of ours?");
        io::Error::new(io::ErrorKind::ConnectionAborted, what).into()
    }

    pub(super) async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host.to_owned()).map_err(io::Error::other)?,
        };
        self.connector.connect(name, stream).await.map_err(|error| explained(host, error))
    }
}

fn server_name(name: String) -> Result<ServerName<'static>, String> {
    let wrong = format!("`{name}` is no name that a certificate can have");
    ServerName::try_from(name).or(Err(wrong))
}

/// A failed handshake, in words.
fn explained(host: &str, error: io::Error) -> io::Error {
    use rustls::{CertificateError as Wrong, Error as Tls};
    let what = match error.get_ref().and_then(|error| error.downcast_ref::<Tls>()) {
        Some(Tls::InvalidCertificate(wrong)) => match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => "the certificate has expired",
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "the certificate is not valid yet",
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                "the certificate is for another host name"
            }
            // Another authority may go by the same name.
            Wrong::UnknownIssuer | Wrong::BadSignature => "the certificate's authority is not trusted here",
            _ => "the certificate is not accepted",
        },
        Some(_) => "the TLS handshake failed",
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the TLS handshake failed; does the server speak TLS on this port?"
        }
        None => return error,
    };
    io::Error::new(error.kind(), format!("{what} ({host}: {error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(options: &TlsOptions) -> String {
        Encryption::new(options).err().unwrap_or_else(|| panic!("accepted: {options:?}"))
    }

    #[test]
    fn what_is_wrong_with_options_is_said() {
        let given = TlsOptions::new();
        assert!(reason(&given.clone().authorities("")).starts_with("certificate authorities: there is no"));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(reason(&given.clone().authorities(cut)).starts_with("certificate authorities: "));
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(reason(&given.authorities(junk)).starts_with("certificate authorities: "));
    }

    #[test]
    fn a_private_key_is_never_shown() {
        let options = TlsOptions::new().identity("certificate", "hunter2").server_name("redis");
        let text = format!("{options:?}");
        assert!(text.contains("redis") && !text.contains("hunter2"), "{text}");
    }
}
