# Sourced on deactivation: undoes what the activation script did.
if [ -n "${__CA_CERTIFICATES_SET_SSL_CERT_FILE:-}" ]; then
    unset SSL_CERT_FILE __CA_CERTIFICATES_SET_SSL_CERT_FILE
fi
