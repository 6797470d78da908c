//! [`Encryption`]: how a Prometheus is asked over TLS, and whose certificates are accepted from it.

#[cfg(feature = "rustls")]
pub(super) use with_rustls::Encryption;
#[cfg(not(feature = "rustls"))]
pub(super) use without::Encryption;

#[cfg(feature = "rustls")]
mod with_rustls {
    use std::io;
    use std::sync::Arc;

    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

    /// Encrypts connections.
    #[derive(Clone)]
    pub(in crate::prometheus) struct Encryption(TlsConnector);

    impl Encryption {
        /// One that accepts what the authorities of this machine have signed.
        pub(in crate::prometheus) fn of_this_machine() -> Result<Self, String> {
            let mut roots = RootCertStore::empty();
            // Without any, every certificate is refused, and the page says so.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Self::new(roots)
        }

        /// One that accepts what these authorities have signed, in PEM, and nothing else.
        pub(in crate::prometheus) fn of(authorities: &[u8]) -> Result<Self, String> {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(authorities) {
                let certificate = certificate.map_err(|error| error.to_string())?;
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
            if roots.is_empty() {
                return Err("there is no certificate in the PEM".to_owned());
            }
            Self::new(roots)
        }

        fn new(roots: RootCertStore) -> Result<Self, String> {
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(Self(TlsConnector::from(Arc::new(config))))
        }

        /// The connection encrypted; or why not, in words.
        pub(in crate::prometheus) async fn encrypt(
            &self,
            host: &str,
            stream: TcpStream,
        ) -> Result<TlsStream<TcpStream>, String> {
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|_error| format!("`{host}` is no name that a certificate can have"))?;
            self.0.connect(name, stream).await.map_err(|error| words(&error))
        }
    }

    /// Why there is no encrypted connection.
    fn words(error: &io::Error) -> String {
        use CertificateError as Wrong;
        let what = match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(wrong)) => match wrong {
                Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired",
                Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "its certificate is not valid yet",
                Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                    "its certificate is for another host name"
                }
                // Another authority may go by the same name.
                Wrong::UnknownIssuer | Wrong::BadSignature => {
                    "its certificate is signed by an authority that is not trusted here"
                }
                _ => "its certificate is not accepted",
            },
            Some(_) => "the TLS handshake failed; does it speak https on this port?",
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it ended the TLS handshake; does it speak https on this port?"
            }
            None => return error.to_string(),
        };
        format!("{what} ({error})")
    }
}

/// There is none: an address that needs it is refused.
#[cfg(not(feature = "rustls"))]
mod without {
    #[derive(Clone)]
    pub(in crate::prometheus) enum Encryption {}

    impl Encryption {
        pub(in crate::prometheus) fn of_this_machine() -> Result<Self, String> {
            Err("this needs the feature `rustls`".to_owned())
        }

        pub(in crate::prometheus) fn of(_authorities: &[u8]) -> Result<Self, String> {
            Self::of_this_machine()
        }

        pub(in crate::prometheus) async fn encrypt(
            &self,
            _host: &str,
            _stream: tokio::net::TcpStream,
        ) -> Result<tokio::net::TcpStream, String> {
            match *self {}
        }
    }
}
