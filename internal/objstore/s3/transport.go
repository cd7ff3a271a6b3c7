package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/stillcast/stillcast"
)

// Times that belong to the connection rather than to a request, whose own
// deadline is the caller's.
const (
	dialTimeout       = 10 * time.Second
	keepAlive         = 15 * time.Second
	idleTimeout       = 90 * time.Second
	credentialTimeout = 10 * time.Second
	// maxAnswerHeader bounds the headers of an answer, in bytes.
	maxAnswerHeader = 256 << 10
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func newTransport(c Config, dial dialer) (*http.Transport, error) {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	}
	roots, err := loadRoots(c.CAFile)
	if err != nil {
		return nil, err
	}
	connections := c.Connections
	if connections == 0 {
		connections = defaultConnections
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           2 * connections, // buckets may have hosts of their own
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true, // sizes are those of what was put
	}, nil
}

// loadRoots returns the certificates to trust: the system's and those of a file;
// nil for the system's alone.
func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // as in tls.Config
	}
	certificates, err := os.ReadFile(file) //nolint:gosec // a file that the operator configured
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "ca_file", "cannot be read: %v", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without any
	}
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "ca_file", "%s holds no certificate in PEM", file)
	}
	return roots, nil
}

// credentials returns where the credentials of requests come from.
func (s *Store) credentials() (*credentials.Credentials, error) {
	switch s.config.Credentials {
	case CredentialsEnvironment:
		source := credentials.NewEnvAWS()
		value, err := source.GetWithContext(nil)
		if err != nil || value.AccessKeyID == "" || value.SecretAccessKey == "" {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "credentials",
				"is environment, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
		}
		return source, nil
	case CredentialsInstance:
		// Without a proxy: they come from the machine itself. A web identity is the
		// exception, which sts.amazonaws.com changes into credentials.
		transport := &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout}
		if os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" {
			transport.Proxy = http.ProxyFromEnvironment
		}
		s.idle = append(s.idle, transport)
		return credentials.New(&credentials.IAM{
			Client: &http.Client{Transport: transport, Timeout: credentialTimeout},
			Region: s.config.Region,
		}), nil
	}
	return credentials.NewStaticV4(s.config.AccessKey, s.config.SecretKey.Reveal(), s.config.SessionToken.Reveal()), nil
}
