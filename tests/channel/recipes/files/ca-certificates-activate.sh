# Sourced on activation: OpenSSL from Debian looks for certificates outside the prefix.
if [ -z "${SSL_CERT_FILE:-}" ]; then
    export SSL_CERT_FILE="$CONDA_PREFIX/ssl/cacert.pem"
    export __CA_CERTIFICATES_SET_SSL_CERT_FILE=1
fi
